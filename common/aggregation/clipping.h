// SPDX-License-Identifier: Apache-2.0
// Checks, measures and clips a trainer's delta before it is encoded (ring.h).
#ifndef HILUM_COMMON_AGGREGATION_CLIPPING_H_
#define HILUM_COMMON_AGGREGATION_CLIPPING_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hilum {

// Returns the index of the first value that is NaN, infinite or over `limit` in
// absolute value; -1: there is none.
int64_t FirstBadDelta(absl::Span<const float> delta, float limit);

// Adds sum_i delta[i]^2 to `squares`, in order and in double: the bits do not
// depend on how a delta is cut into pieces. The sum is at least every square in
// it, since rounding keeps order.
void AddSquares(absl::Span<const float> delta, double& squares);

// Returns the factor that brings a delta with this sum of squares to an L2 norm
// of at most max_norm, within double rounding. 1: the norm is small enough, or
// max_norm is 0. INVALID_ARGUMENT: `squares` is not finite, or max_norm is
// negative or not finite.
absl::StatusOr<double> ClipFactor(double squares, double max_norm);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_CLIPPING_H_
