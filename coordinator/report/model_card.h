// SPDX-License-Identifier: Apache-2.0
// Writes the card of a study's models. Its sections follow Mitchell et al. 2019
// (Model Cards for Model Reporting).
#ifndef HILUM_COORDINATOR_REPORT_MODEL_CARD_H_
#define HILUM_COORDINATOR_REPORT_MODEL_CARD_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coordinator/study_result.h"

namespace hilum {

// Returns Markdown, as docs/report.md describes it. All figures come from
// `report`, the study's report.json, digit by digit, so the card shows no more
// of single sites than the report. Equal input gives equal bytes.
// INVALID_ARGUMENT: `report` is no report.
absl::StatusOr<std::string> ModelCard(const StudyResult& result,
                                      absl::string_view report);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_MODEL_CARD_H_
