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
  std::string reason;   // of quarantine
  std::string label;    // where there is one alone
  std::string patient;  // the same
};

// What a case is, from all that is known of it and nothing guessed. `held`: a
// reason to keep it in quarantine until a person lifts it, or empty. `sources`:
// those that show it. `labels`: the rows that name one of them. The patient
// that the images name counts; where none does, the one of the labels file.
CaseVerdict JudgeCase(absl::string_view held, absl::Span<const Source> sources,
                      absl::Span<const LabelRow> labels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_JUDGE_H_
