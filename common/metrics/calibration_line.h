// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_CALIBRATION_LINE_H_
#define HILUM_COMMON_METRICS_CALIBRATION_LINE_H_

#include <optional>

#include "common/metrics/interval.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// A coefficient of a logistic regression, with Wald's interval.
struct Coefficient {
  double value;
  Interval interval95;
};

// How far the log-odds x that a model gives are from those that hold (Cox 1958;
// Van Calster et al. 2019), by logistic regressions of the outcome on the
// middles of the bins. Binning moves each x by half a bin at most.
struct CalibrationLine {
  // b in log-odds = a + b x: 1 where the probabilities spread as they should,
  // below 1 where they are too extreme. Absent where the classes do not overlap
  // (no maximum of the likelihood: Albert, Anderson 1984), as with scores that
  // are all equal.
  std::optional<Coefficient> slope;
  // a in log-odds = a + x: above 0 where the class is more frequent than the
  // probabilities say (calibration in the large).
  std::optional<Coefficient> intercept;
};

// Both are absent where P or N is 0. By iteratively reweighted least squares
// over the bins.
CalibrationLine FitCalibrationLine(const BinnedScores& scores);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_CALIBRATION_LINE_H_
