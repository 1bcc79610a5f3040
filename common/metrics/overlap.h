// SPDX-License-Identifier: Apache-2.0
// What an overlap (v1::Overlap) says of how well found lungs and lung masks
// agree, in cases of one class or of all.
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

// Nothing where there are no patients.
std::optional<PatientMean> MeanDice(const v1::Overlap& overlap);
std::optional<PatientMean> MeanIou(const v1::Overlap& overlap);

// Share of the cases whose found mask is none of two lungs.
std::optional<double> ImplausibleShare(const v1::Overlap& overlap);

// sum += overlap. A patient who is in two of what is summed counts twice.
void AddOverlap(const v1::Overlap& overlap, v1::Overlap& sum);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_OVERLAP_H_
