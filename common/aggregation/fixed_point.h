// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the federated mean, in 64-bit integers, so that the order
// of the sites cannot change a bit.
//
// Per element, with n_s examples and delta d_s of site s, N = sum_s n_s:
//   A = sum_s rint(n_s * d_s * 2^24)       (ties to even)
//   global' = float(global + A / (N * 2^24))
// No overflow: |d_s| <= 2^14 and N <= 2^24, so |A| <= 2^62 + S / 2 < 2^63.
// Exact until rint: n_s has at most 25 bits and d_s 24, a double holds 53.
// Error of the mean: at most 2^-25 * S / N <= 2^-25 for S sites, and the
// rounding of double and float.
// Source: McMahan et al. 2017, algorithm 1.
#ifndef HILUM_COMMON_AGGREGATION_FIXED_POINT_H_
#define HILUM_COMMON_AGGREGATION_FIXED_POINT_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hilum {

inline constexpr int kFractionBits = 24;
inline constexpr float kMaxAbsDelta = 16384;               // 2^14
inline constexpr uint64_t kMaxTotalExamples = 1ull << 24;  // N

// The index of the first value that is NaN, infinite or over kMaxAbsDelta;
// -1 if all may be summed.
int64_t FirstBadDelta(absl::Span<const float> delta);

// sums[i] += rint(num_examples * delta[i] * 2^24). All of delta may be
// summed, num_examples <= kMaxTotalExamples, lengths are equal.
void AccumulateDelta(absl::Span<const float> delta, uint64_t num_examples,
                     absl::Span<int64_t> sums);

// global[i] += sums[i] / (total_examples * 2^24); total_examples > 0.
void ApplyMean(absl::Span<const int64_t> sums, uint64_t total_examples,
               absl::Span<float> global);

// Whether every value is a number and not infinite.
bool AllFinite(absl::Span<const float> values);

// sum_i delta[i]^2 added to `squares`, in order and in double: the bits do not
// depend on how a delta is cut into pieces.
void AddSquares(absl::Span<const float> delta, double& squares);

// What a delta of this sum of squares is multiplied with so that its L2 norm
// is at most max_norm (within 2^-24 relative); 1 where it is, or where
// max_norm is 0. INVALID_ARGUMENT: `squares` is not finite, or max_norm is
// negative or not finite.
absl::StatusOr<double> ClipFactor(double squares, double max_norm);

void ScaleDelta(absl::Span<float> delta, double factor);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_FIXED_POINT_H_
