// SPDX-License-Identifier: Apache-2.0
// The part of report.json that is made of score histograms.
#ifndef HILUM_COORDINATOR_REPORT_JSON_FIGURES_H_
#define HILUM_COORDINATOR_REPORT_JSON_FIGURES_H_

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "common/metrics/interval.h"
#include "coordinator/report/class_figures.h"

namespace hilum {

// Return null where there is no value, or none that is finite.
nlohmann::json NumberJson(std::optional<double> value);
nlohmann::json IntervalJson(const std::optional<Interval>& interval);

// Adds a class's figures to its entry. `folds`: whether they were computed with
// the folds.
void AddClassFigures(const ClassFigures& figures, size_t bins, bool folds,
                     nlohmann::json& entry);

// Returns the study's primary AUC of an arm: which it is, its macro mean, and
// each class's with its interval.
nlohmann::json PrimaryJson(const v1::Study& study, const PooledScores& pooled,
                           const std::vector<ClassFigures>& classes);

// Returns what the figures mean, in words.
nlohmann::json FigureConventions();

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_JSON_FIGURES_H_
