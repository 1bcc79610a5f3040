// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/report.h"

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "coordinator/report/arm_metrics.h"
#include "coordinator/report/csv_tables.h"
#include "coordinator/report/html.h"
#include "coordinator/report/report_json.h"

namespace hilum {

absl::Status WriteReports(const StudyResult& result,
                          const std::string& directory,
                          const Baselines& baselines) {
  const std::vector<ArmMetrics> arms = ComputeArmMetrics(result);
  for (const CsvTable& table : CsvTables(result.study, arms)) {
    HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(directory, "/tables")));
    HILUM_RETURN_IF_ERROR(WriteFileAtomically(
        absl::StrCat(directory, "/", table.path), table.text));
  }
  const BaselineMetrics compared = ComputeBaselineMetrics(baselines);
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(directory, "/report.json"),
                          ReportJson(result, arms, compared)));
  return WriteFileAtomically(absl::StrCat(directory, "/report.html"),
                             ReportHtml(result, arms, compared));
}

}  // namespace hilum
