// SPDX-License-Identifier: Apache-2.0
// The report's tables and curves as CSV, for other programs.
#ifndef HILUM_COORDINATOR_REPORT_CSV_TABLES_H_
#define HILUM_COORDINATOR_REPORT_CSV_TABLES_H_

#include <string>
#include <vector>

#include "coordinator/report/arm_metrics.h"

namespace hilum {

struct CsvTable {
  std::string path;  // relative to the report's folder
  std::string text;  // a header, then a row a line; an empty cell: no value
};

// Returns the tables of the federated models (docs/report.md lists them), with
// all digits. None in a study of segmentation.
std::vector<CsvTable> CsvTables(const v1::Study& study,
                                const std::vector<ArmMetrics>& arms);

// Returns the paths of CsvTables.
std::vector<std::string> CsvTablePaths(const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_CSV_TABLES_H_
