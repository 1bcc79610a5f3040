// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_PARTIAL_AUC_H_
#define HILUM_COMMON_METRICS_PARTIAL_AUC_H_

#include <optional>

#include "common/metrics/score_bins.h"

namespace hilum {

// Returns the area A under the ROC curve where the specificity is at least
// `least_specificity`, in [0, 1), standardised by McClish (1989) so that 0.5 is
// chance and 1 the most:
//   (1 + (A - e^2 / 2) / (e - e^2 / 2)) / 2, e = 1 - least_specificity.
// The curve is linear between its points. Nothing where P or N is 0.
std::optional<double> PartialAucAtSpecificity(const BinnedScores& scores,
                                              double least_specificity);

// Returns the same with specificity and sensitivity exchanged: the area beside
// the curve where the sensitivity is at least `least_sensitivity`.
std::optional<double> PartialAucAtSensitivity(const BinnedScores& scores,
                                              double least_sensitivity);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_PARTIAL_AUC_H_
