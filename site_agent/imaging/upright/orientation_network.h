// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_UPRIGHT_ORIENTATION_NETWORK_H_
#define HILUM_SITE_AGENT_IMAGING_UPRIGHT_ORIENTATION_NETWORK_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// The side of the network's input, and the channels after each of its
// convolutions (3 x 3, stride 2, padding 1, with bias, then ReLU). A linear
// layer without bias to one number follows. Its tensors, in this order,
// row-major in PyTorch's layout:
//   conv.L.weight [out, in, 3, 3], conv.L.bias [out]
//   head.weight   [1, out * side * side], of [out, side, side]
inline constexpr int kOrientationSide = 64;
inline constexpr int kOrientationLayers = 4;
inline constexpr int kOrientationChannels[kOrientationLayers] = {8, 16, 32, 32};
inline constexpr int kOrientationMapSide =
    kOrientationSide >> kOrientationLayers;

// Returns the number of weights in all tensors together.
size_t OrientationWeightCount();

// Scores how upright a frontal chest radiograph looks, in plain C++: 0.8
// million multiplications an image. Thread-safe.
class OrientationNetwork {
 public:
  // `weights`: all tensors in the order above. INVALID_ARGUMENT: another number
  // of them, or one that is not finite.
  static absl::StatusOr<OrientationNetwork> Create(
      absl::Span<const float> weights);

  // Returns the network that is compiled in.
  static const OrientationNetwork& Shipped();

  // Returns a score that is larger for a more upright image. Only differences
  // between the turns of one image have a meaning. `pixels` [side, side], gray,
  // 0 to 1.
  float Score(absl::Span<const float> pixels) const;

 private:
  OrientationNetwork() = default;

  // [3, 3, in, out] and [out] for each layer; [side, side, out].
  std::vector<float> kernels_[kOrientationLayers], biases_[kOrientationLayers];
  std::vector<float> head_;
};

// Returns the numbers of a safetensors file of float32 tensors, in the order of
// the file. INVALID_ARGUMENT: not such a file.
absl::StatusOr<std::vector<float>> SafetensorsNumbers(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_UPRIGHT_ORIENTATION_NETWORK_H_
