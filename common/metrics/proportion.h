// SPDX-License-Identifier: Apache-2.0
// Intervals of proportions, and of weighted sums of independent proportions.
#ifndef HILUM_COMMON_METRICS_PROPORTION_H_
#define HILUM_COMMON_METRICS_PROPORTION_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "common/metrics/interval.h"

namespace hilum {

// Returns Wilson's score interval of part / whole (Wilson 1927); nothing where
// `whole` is 0.
std::optional<Interval> WilsonInterval(uint64_t part, uint64_t whole);

// A proportion with its interval, times a weight.
struct WeightedProportion {
  double weight;
  double value;
  Interval interval;
};

// Returns the interval of sum_i w_i p_i over independent proportions by
// square-and-add (Newcombe 1998, "Interval estimation for the difference
// between independent proportions", method 10; for any linear combination Zou,
// Donner 2008):
//   low = sum_i w_i p_i - sqrt(sum_i (w_i p_i - lowest(w_i [l_i, u_i]))^2)
// and `high` likewise with the highest.
Interval SquareAndAdd(absl::Span<const WeightedProportion> terms);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_PROPORTION_H_
