// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_RESULT_TABLE_H_
#define HILUM_SIM_RESULT_TABLE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// The head of a report, for a terminal: a line an arm (macro averages over
// the classes) and a line a class with its AUC and 95 % interval, pooled over
// folds and sites; of a study of segmentation a line a class with Dice and IoU.
// Takes report.json's text. INVALID_ARGUMENT: no report.
// Warnings of the report stand above it.
absl::StatusOr<std::string> ResultTable(absl::string_view report_json);

// FAILED_PRECONDITION names the models that are the starting weights still: a
// command that shows such a report does not end as if all were well.
// INVALID_ARGUMENT: no report.
absl::Status CheckTrained(absl::string_view report_json);

}  // namespace hilum

#endif  // HILUM_SIM_RESULT_TABLE_H_
