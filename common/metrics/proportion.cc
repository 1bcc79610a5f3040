// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/proportion.h"

#include <algorithm>
#include <cmath>

namespace hilum {

std::optional<Interval> WilsonInterval(uint64_t part, uint64_t whole) {
  if (whole == 0) return std::nullopt;
  const double z = kZ95;
  const double n = static_cast<double>(whole);
  const double p = static_cast<double>(part) / n;
  const double scale = 1 + z * z / n;
  const double middle = (p + z * z / (2 * n)) / scale;
  const double half =
      z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale;
  // Rounding must not leave [0, 1], nor the proportion itself at an end.
  return Interval{part == 0 ? 0 : std::max(0.0, middle - half),
                  part == whole ? 1 : std::min(1.0, middle + half)};
}

Interval SquareAndAdd(absl::Span<const WeightedProportion> terms) {
  double value = 0, below = 0, above = 0;
  for (const WeightedProportion& term : terms) {
    const double at = term.weight * term.value;
    const double a = term.weight * term.interval.low;
    const double b = term.weight * term.interval.high;
    value += at;
    below += std::pow(at - std::min(a, b), 2);
    above += std::pow(std::max(a, b) - at, 2);
  }
  return {value - std::sqrt(below), value + std::sqrt(above)};
}

}  // namespace hilum
