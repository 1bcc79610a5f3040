// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/fixed_point.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr double kScale = static_cast<double>(1 << kFractionBits);

int32_t AbsBits(float value) {
  return std::bit_cast<int32_t>(value) & 0x7fffffff;
}

// The largest absolute value, as bits: they order as the values do, infinity
// and NaN above all.
int32_t MaxAbsBits(absl::Span<const float> values) {
  int32_t largest = 0;
  for (float value : values) largest = std::max(largest, AbsBits(value));
  return largest;
}

// x + 1.5 * 2^52 has rint(x) in its low bits if |x| < 2^51: the same as
// llrint(x), and vectorised where no instruction converts to 64-bit integers.
constexpr double kMagic = 6755399441055744.0;

void AccumulateSmall(const float* delta, size_t size, double weight,
                     int64_t* sums) {
  for (size_t i = 0; i < size; ++i) {
    double scaled = static_cast<double>(delta[i]) * weight;
    sums[i] += std::bit_cast<int64_t>(scaled + kMagic) -
               std::bit_cast<int64_t>(kMagic);
  }
}

}  // namespace

int64_t FirstBadDelta(absl::Span<const float> delta) {
  const int32_t limit = AbsBits(kMaxAbsDelta);
  if (MaxAbsBits(delta) <= limit) return -1;
  auto bad = std::find_if(delta.begin(), delta.end(),
                          [&](float x) { return AbsBits(x) > limit; });
  return bad - delta.begin();
}

void AccumulateDelta(absl::Span<const float> delta, uint64_t num_examples,
                     absl::Span<int64_t> sums) {
  const double weight = static_cast<double>(num_examples) * kScale;
  const double largest =
      static_cast<double>(std::bit_cast<float>(MaxAbsBits(delta)));
  if (largest * weight < 0x1p50) {
    AccumulateSmall(delta.data(), delta.size(), weight, sums.data());
    return;
  }
  for (size_t i = 0; i < delta.size(); ++i) {
    sums[i] += std::llrint(static_cast<double>(delta[i]) * weight);
  }
}

void ApplyMean(absl::Span<const int64_t> sums, uint64_t total_examples,
               absl::Span<float> global) {
  const double divisor = static_cast<double>(total_examples) * kScale;
  for (size_t i = 0; i < global.size(); ++i) {
    global[i] = static_cast<float>(static_cast<double>(global[i]) +
                                   static_cast<double>(sums[i]) / divisor);
  }
}

bool AllFinite(absl::Span<const float> values) {
  return MaxAbsBits(values) < 0x7f800000;
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

void ScaleDelta(absl::Span<float> delta, double factor) {
  for (float& value : delta) {
    value = static_cast<float>(static_cast<double>(value) * factor);
  }
}

}  // namespace hilum
