// SPDX-License-Identifier: Apache-2.0
// The part of report.html about found lungs, in a study of segmentation.
#ifndef HILUM_COORDINATOR_REPORT_HTML_OVERLAP_H_
#define HILUM_COORDINATOR_REPORT_HTML_OVERLAP_H_

#include <string>

#include "coordinator/report/arm_metrics.h"
#include "coordinator/study_result.h"

namespace hilum {

// Returns Dice and IoU of all held-out cases, by class and together.
std::string OverlapTable(const v1::Study& study, const PooledScores& scores);

// Returns Dice and IoU over all classes, for each known site and for each fold.
std::string OverlapBreakdown(const ArmMetrics& arm);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_OVERLAP_H_
