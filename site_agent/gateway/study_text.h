// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_STUDY_TEXT_H_
#define HILUM_SITE_AGENT_GATEWAY_STUDY_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/provenance.h"
#include "site_agent/gateway/risks.h"

namespace hilum {

// The facts of a study from which an officer decides.
struct StudyView {
  std::string hash;      // raw
  std::string decision;  // in words
  v1::Study study;       // validated
  AskedSite asked;
  Provenance weights;
  std::vector<std::string> conflicts;
  std::vector<Risk> risks;
  bool starts_like_past = false;  // kPatientsInferable may be asked for later
  Acceptance accepted;
  std::string config_path;  // for the command to type
};

// Returns the risks that the officer has not accepted yet.
std::vector<Risk> MissingRisks(const StudyView& view);
bool LacksWeights(const StudyView& view);

// Returns the command that approves the study and accepts all that it needs.
std::string ApproveCommand(const StudyView& view);

// Returns the study as YAML, without the digests of images that its starting
// weights list.
std::string StudyYaml(v1::Study study);

// Returns one paragraph for each question: what is trained on what, with whom,
// what leaves and how much, where the weights come from, how patients are
// guarded, what conflicts with the study, what must be accepted. Then the study
// as YAML. INVALID_ARGUMENT: an architecture that this release does not know.
absl::StatusOr<std::string> StudyText(const StudyView& view);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_STUDY_TEXT_H_
