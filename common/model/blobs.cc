// SPDX-License-Identifier: Apache-2.0
#include "common/model/blobs.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

static_assert(std::endian::native == std::endian::little,
              "blobs are mapped and written as this machine holds floats");

absl::Status CheckLength(absl::string_view what, size_t given,
                         int64_t expected) {
  if (given == static_cast<size_t>(expected)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": ", given, " values, the study's layout has ",
                   expected, "; was it made for another architecture?"));
}

}  // namespace

absl::StatusOr<SplitWeights> SplitInitial(const ParameterLayout& layout,
                                          absl::Span<const float> initial) {
  HILUM_RETURN_IF_ERROR(
      CheckLength("initial weights", initial.size(),
                  layout.frozen_size + layout.travelling_size));
  SplitWeights split;
  split.frozen.reserve(static_cast<size_t>(layout.frozen_size));
  split.travelling.reserve(static_cast<size_t>(layout.travelling_size));
  const float* next = initial.data();
  for (const TensorSpec& tensor : layout.architecture.tensors) {
    std::vector<float>& part =
        layout.Travels(tensor) ? split.travelling : split.frozen;
    part.insert(part.end(), next, next + tensor.size());
    next += tensor.size();
  }
  return split;
}

std::vector<float> RepeatForTracks(absl::Span<const float> travelling,
                                   int num_tracks) {
  std::vector<float> global;
  global.reserve(travelling.size() * static_cast<size_t>(num_tracks));
  for (int track = 0; track < num_tracks; ++track) {
    global.insert(global.end(), travelling.begin(), travelling.end());
  }
  return global;
}

absl::StatusOr<std::vector<float>> JoinModel(
    const ParameterLayout& layout, absl::Span<const float> frozen,
    absl::Span<const float> travelling) {
  HILUM_RETURN_IF_ERROR(
      CheckLength("frozen weights", frozen.size(), layout.frozen_size));
  HILUM_RETURN_IF_ERROR(CheckLength("one track's weights", travelling.size(),
                                    layout.travelling_size));
  std::vector<float> weights;
  weights.reserve(frozen.size() + travelling.size());
  const float* next_frozen = frozen.data();
  const float* next_travelling = travelling.data();
  for (const TensorSpec& tensor : layout.architecture.tensors) {
    const float*& next = layout.Travels(tensor) ? next_travelling : next_frozen;
    weights.insert(weights.end(), next, next + tensor.size());
    next += tensor.size();
  }
  return weights;
}

absl::string_view BlobBytes(absl::Span<const float> values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()),
                           values.size() * sizeof(float));
}

absl::StatusOr<std::vector<float>> BlobValues(absl::string_view bytes) {
  if (bytes.size() % sizeof(float) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("blob of ", bytes.size(),
                     " bytes is not a whole number of float32 values"));
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace hilum
