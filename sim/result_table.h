// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_RESULT_TABLE_H_
#define HILUM_SIM_RESULT_TABLE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Returns a report's main figures for a terminal: a line for each arm (macro
// averages over the classes) and a line for each class with its AUC and 95 %
// interval, pooled over folds and sites; for a study of segmentation a line for
// each class with Dice and IoU. The report's warnings stand above. Takes
// report.json's text. INVALID_ARGUMENT: no report.
absl::StatusOr<std::string> ResultTable(absl::string_view report_json);

// Returns FAILED_PRECONDITION with the names of the models that are still the
// starting weights, so that a command that shows such a report does not end
// with 0. INVALID_ARGUMENT: no report.
absl::Status CheckTrained(absl::string_view report_json);

}  // namespace hilum

#endif  // HILUM_SIM_RESULT_TABLE_H_
