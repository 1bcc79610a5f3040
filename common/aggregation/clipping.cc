// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/clipping.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

int32_t AbsBits(float value) {
  return std::bit_cast<int32_t>(value) & 0x7fffffff;
}

// Returns the largest absolute value as bits. The bits order as the values do,
// with infinity and NaN above all others.
int32_t MaxAbsBits(absl::Span<const float> values) {
  int32_t largest = 0;
  for (float value : values) largest = std::max(largest, AbsBits(value));
  return largest;
}

}  // namespace

int64_t FirstBadDelta(absl::Span<const float> delta, float limit) {
  const int32_t most = AbsBits(limit);
  if (MaxAbsBits(delta) <= most) return -1;
  auto bad = std::find_if(delta.begin(), delta.end(),
                          [&](float x) { return AbsBits(x) > most; });
  return bad - delta.begin();
}

void AddSquares(absl::Span<const float> delta, double& squares) {
  double sum = squares;
  for (float value : delta) {
    sum += static_cast<double>(value) * static_cast<double>(value);
  }
  squares = sum;
}

absl::StatusOr<double> ClipFactor(double squares, double max_norm) {
  if (!std::isfinite(max_norm) || max_norm < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "clipping norm ", max_norm, "; give 0 (none) or a positive number"));
  }
  if (!std::isfinite(squares)) {
    return absl::InvalidArgumentError(
        "delta has a value that is not finite; lower the learning rate");
  }
  const double norm = std::sqrt(squares);
  return max_norm > 0 && norm > max_norm ? max_norm / norm : 1.0;
}

}  // namespace hilum
