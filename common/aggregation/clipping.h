// SPDX-License-Identifier: Apache-2.0
// What a trainer's delta goes through before it is encoded (ring.h): it is
// looked through, measured and clipped.
#ifndef HILUM_COMMON_AGGREGATION_CLIPPING_H_
#define HILUM_COMMON_AGGREGATION_CLIPPING_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hilum {

// The index of the first value that is NaN, infinite or over `limit` in
// absolute value; -1: there is none.
int64_t FirstBadDelta(absl::Span<const float> delta, float limit);

// sum_i delta[i]^2 added to `squares`, in order and in double: the bits do not
// depend on how a delta is cut into pieces. The sum is at least every square
// in it, since rounding keeps order.
void AddSquares(absl::Span<const float> delta, double& squares);

// What a delta of this sum of squares is multiplied with so that its L2 norm
// is at most max_norm, within what a double rounds; 1 where it is, or where
// max_norm is 0. INVALID_ARGUMENT: `squares` is not finite, or max_norm is
// negative or not finite.
absl::StatusOr<double> ClipFactor(double squares, double max_norm);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_CLIPPING_H_
