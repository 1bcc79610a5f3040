// SPDX-License-Identifier: Apache-2.0
// The parts of report.html that are made of score histograms.
#ifndef HILUM_COORDINATOR_REPORT_HTML_FIGURES_H_
#define HILUM_COORDINATOR_REPORT_HTML_FIGURES_H_

#include <optional>
#include <string>
#include <vector>

#include "common/metrics/interval.h"
#include "coordinator/report/arm_metrics.h"
#include "coordinator/report/class_figures.h"

namespace hilum {

// Return the value and its interval; "–" without a value.
std::string FigureText(std::optional<double> value,
                       const std::optional<Interval>& interval);  // 0.912
std::string PercentText(std::optional<double> value,
                        const std::optional<Interval>& interval);  // 91.2 %

// Returns a sentence with the macro mean of the study's primary AUC.
std::string PrimaryHtml(const v1::Study& study,
                        const std::vector<ArmMetrics>& arms);

// Returns the AUCs of each class: pooled, mean over folds, and of each fold.
// The study's primary one is named so.
std::string AucHtml(const v1::Study& study,
                    const std::vector<ArmMetrics>& arms);

// Returns precision-recall curves, thresholds, calibration and decision curves,
// each with its table. A class without enough cases is named in their place.
std::string FiguresHtml(const v1::Study& study,
                        const std::vector<ArmMetrics>& arms);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_FIGURES_H_
