// SPDX-License-Identifier: Apache-2.0
// The blobs of docs/architecture.md: full weights, and the part that travels.
#ifndef HILUM_COMMON_MODEL_BLOBS_H_
#define HILUM_COMMON_MODEL_BLOBS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/model/architecture.h"

namespace hilum {

struct SplitWeights {
  std::vector<float> frozen;      // layout.frozen_size
  std::vector<float> travelling;  // layout.travelling_size: one track's part
};

// Splits the values of every tensor, in registry order. INVALID_ARGUMENT: wrong
// length.
absl::StatusOr<SplitWeights> SplitInitial(const ParameterLayout& layout,
                                          absl::Span<const float> initial);

// Returns the global blob of a study that starts: all tracks are the same.
std::vector<float> RepeatForTracks(absl::Span<const float> travelling,
                                   int num_tracks);

// Returns every tensor's values in registry order, from the frozen ones and one
// track's. INVALID_ARGUMENT: wrong lengths.
absl::StatusOr<std::vector<float>> JoinModel(
    const ParameterLayout& layout, absl::Span<const float> frozen,
    absl::Span<const float> travelling);

// Returns a blob's bytes, little-endian as this build's machine is (checked
// when compiling). Valid as long as `values`.
absl::string_view BlobBytes(absl::Span<const float> values);

// Returns a blob's values. INVALID_ARGUMENT: not a whole number of float32.
absl::StatusOr<std::vector<float>> BlobValues(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_BLOBS_H_
