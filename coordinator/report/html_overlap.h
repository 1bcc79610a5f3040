// SPDX-License-Identifier: Apache-2.0
// What report.html says of found lungs, in a study of segmentation.
#ifndef HILUM_COORDINATOR_REPORT_HTML_OVERLAP_H_
#define HILUM_COORDINATOR_REPORT_HTML_OVERLAP_H_

#include <string>

#include "coordinator/report/arm_metrics.h"
#include "coordinator/study_result.h"

namespace hilum {

// Dice and IoU of all held-out cases, by class and together.
std::string OverlapTable(const v1::Study& study, const PooledScores& scores);

// The same over all classes, of each site that is known and of each fold.
std::string OverlapBreakdown(const ArmMetrics& arm);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_OVERLAP_H_
