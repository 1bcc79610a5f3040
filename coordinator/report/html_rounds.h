// SPDX-License-Identifier: Apache-2.0
// What report.html says of the rounds of training.
#ifndef HILUM_COORDINATOR_REPORT_HTML_ROUNDS_H_
#define HILUM_COORDINATOR_REPORT_HTML_ROUNDS_H_

#include <string>
#include <vector>

#include "coordinator/report/arm_metrics.h"
#include "coordinator/study_result.h"

namespace hilum {

// Which rounds changed nothing, which round's models were chosen; of each arm
// the training loss by round and, where the study validates, the validation
// loss of each global with the chosen one marked.
std::string RoundsHtml(const StudyResult& result,
                       const std::vector<ArmMetrics>& arms);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_ROUNDS_H_
