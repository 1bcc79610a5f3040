// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/network_input.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

namespace hilum {
namespace {

// torchvision's, for networks with three channels.
constexpr float kMean[] = {0.485f, 0.456f, 0.406f};
constexpr float kDeviation[] = {0.229f, 0.224f, 0.225f};

}  // namespace

at::Tensor NetworkInput(std::vector<float>& pixels, int64_t size,
                        const Architecture& architecture,
                        const v1::Model& model, at::Device device) {
  const int64_t n = static_cast<int64_t>(pixels.size()) / (size * size);
  at::Tensor x =
      at::from_blob(pixels.data(), {n, 1, size, size}, at::kFloat).to(device);
  if (architecture.input_channels == 1) return (x - 0.5) / 0.25;
  std::vector<at::Tensor> planes;
  for (int c = 0; c < 3; ++c) {
    planes.push_back(((x - kMean[c]) / kDeviation[c]).squeeze(1));
  }
  return at::stack(planes, 1);
}

}  // namespace hilum
