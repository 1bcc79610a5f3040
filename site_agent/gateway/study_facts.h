// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_STUDY_FACTS_H_
#define HILUM_SITE_AGENT_GATEWAY_STUDY_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The bounds that a study implies for the messages about it: for the gate (what
// leaves) and for the border (what comes).
struct StudyFacts {
  v1::Study study;
  std::set<std::string> cohort;  // its sites
  uint32_t last_round = 0;       // the round of its evaluation
  size_t tracks = 0;
  size_t cells = 0;  // folds * classes
  // In bytes: all parameters of the architecture; the travelling parameters of
  // all tracks; the longest vector that a site gives to a sum.
  uint64_t initial_bytes = 0;
  uint64_t model_bytes = 0;
  uint64_t vector_bytes = 0;
  std::string manifest_sha256;
};

// INVALID_ARGUMENT: the bytes are not a valid study of an architecture that
// this release knows.
absl::StatusOr<StudyFacts> FactsOfStudy(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_STUDY_FACTS_H_
