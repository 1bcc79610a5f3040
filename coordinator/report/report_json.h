// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_REPORT_REPORT_JSON_H_
#define HILUM_COORDINATOR_REPORT_REPORT_JSON_H_

#include <string>
#include <vector>

#include "coordinator/report/arm_metrics.h"
#include "coordinator/report/baselines.h"
#include "coordinator/study_result.h"

namespace hilum {

// Returns report.json as docs/report.md describes it.
std::string ReportJson(const StudyResult& result,
                       const std::vector<ArmMetrics>& arms,
                       const BaselineMetrics& baselines);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_REPORT_JSON_H_
