// SPDX-License-Identifier: Apache-2.0
// The part of report.html about the rounds of training.
#ifndef HILUM_COORDINATOR_REPORT_HTML_ROUNDS_H_
#define HILUM_COORDINATOR_REPORT_HTML_ROUNDS_H_

#include <string>
#include <vector>

#include "coordinator/report/arm_metrics.h"
#include "coordinator/study_result.h"

namespace hilum {

// Returns the rounds that changed nothing and the round of the chosen models;
// for each arm the training loss by round and, where the study validates, the
// validation loss of each global with the chosen one marked.
std::string RoundsHtml(const StudyResult& result,
                       const std::vector<ArmMetrics>& arms);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_ROUNDS_H_
