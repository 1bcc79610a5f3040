// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_REPORT_REPORT_H_
#define HILUM_COORDINATOR_REPORT_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "coordinator/report/baselines.h"
#include "coordinator/study_result.h"

namespace hilum {

// Writes report.json (docs/report.md), report.html and, of a classifier, tables
// as CSV (csv_tables.h) into `directory`.
// Equal results give equal bytes. Errors are those of the files.
absl::Status WriteReports(const StudyResult& result,
                          const std::string& directory,
                          const Baselines& baselines = {});

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_REPORT_H_
