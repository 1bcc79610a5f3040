// SPDX-License-Identifier: Apache-2.0
// Agreement of found lungs and lung masks (v1::Overlap), in the cases of one
// class or of all.
#ifndef HILUM_COMMON_METRICS_OVERLAP_H_
#define HILUM_COMMON_METRICS_OVERLAP_H_

#include <optional>

#include "hilum/v1/federation.pb.h"

namespace hilum {

// A mean over n patients, x_i of each in [0, 1], from sums over them.
struct PatientMean {
  double mean;
  // 95 %, normal over patients: mean +- 1.96 s / sqrt(n), where
  //   s^2 = (sum x_i^2 - n mean^2) / (n - 1),
  // clipped to [0, 1]. Absent where n < 2.
  struct Interval {
    double low;
    double high;
  };
  std::optional<Interval> interval95;
};

// Returns nothing where there are no patients.
std::optional<PatientMean> MeanDice(const v1::Overlap& overlap);
std::optional<PatientMean> MeanIou(const v1::Overlap& overlap);

// Returns the share of cases whose found mask does not look like two lungs.
std::optional<double> ImplausibleShare(const v1::Overlap& overlap);

// Adds `overlap` to `sum`. A patient who is in two of them counts twice.
void AddOverlap(const v1::Overlap& overlap, v1::Overlap& sum);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_OVERLAP_H_
