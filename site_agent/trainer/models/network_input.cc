// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/network_input.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "common/model/preprocessing.h"

namespace hilum {
namespace {

// Returns whether channels-last memory is faster. On CPUs tests/bench/train.sh
// shows that DenseNets gain some per cent and others lose; bfloat16
// convolutions on GPUs gain.
bool ChannelsLast(const Architecture& architecture, at::Device device) {
  return device.is_cuda() || architecture.name == "densenet121";
}

}  // namespace

at::Tensor NetworkInput(std::vector<float>& pixels, int64_t size,
                        const Architecture& architecture,
                        const v1::Model& model, at::Device device) {
  const int64_t n = static_cast<int64_t>(pixels.size()) / (size * size);
  const at::Tensor gray =
      at::from_blob(pixels.data(), {n, 1, size, size}, at::kFloat).to(device);
  const ChannelScales scales =
      ScalesOf(model.preprocessing(), architecture.input_channels);
  at::Tensor input =
      at::empty({n, architecture.input_channels, size, size}, gray.options());
  for (int64_t c = 0; c < architecture.input_channels; ++c) {
    const size_t i = static_cast<size_t>(c);
    input.narrow(1, c, 1).copy_(gray * scales.scale[i] + scales.shift[i]);
  }
  return ChannelsLast(architecture, device)
             ? input.contiguous(at::MemoryFormat::ChannelsLast)
             : input;
}

}  // namespace hilum
