// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_JUDGE_H_
#define HILUM_SITE_AGENT_INGEST_JUDGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/ingest/case_database.h"

namespace hilum {

struct CaseVerdict {
  CaseState state = CaseState::kUnlabelled;
  std::string reason;   // reason of quarantine
  std::string label;    // empty unless there is exactly one
  std::string patient;  // empty unless there is exactly one
};

// Judges a case from its sources and labels; guesses nothing. `held`: a reason
// for quarantine that only a person can lift, or empty. `sources`: the case's
// sources. `labels`: the rows that name one of them. The patient in the images
// has priority; if no image names one, the labels file's counts.
CaseVerdict JudgeCase(absl::string_view held, absl::Span<const Source> sources,
                      absl::Span<const LabelRow> labels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_JUDGE_H_
