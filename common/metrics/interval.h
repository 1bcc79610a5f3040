// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_INTERVAL_H_
#define HILUM_COMMON_METRICS_INTERVAL_H_

namespace hilum {

// A two-sided interval of 95 %.
struct Interval {
  double low;
  double high;
};

// The normal quantile of 0.975.
inline constexpr double kZ95 = 1.959963984540054;

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_INTERVAL_H_
