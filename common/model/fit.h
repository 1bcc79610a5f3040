// SPDX-License-Identifier: Apache-2.0
// From the tensors of a file to those of an architecture.
#ifndef HILUM_COMMON_MODEL_FIT_H_
#define HILUM_COMMON_MODEL_FIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/architecture.h"
#include "common/model/tensor_view.h"

namespace hilum {

// What may be unlike between a file and an architecture; nothing by default.
struct WeightsOptions {
  // Where the architecture's first convolution has one input channel and the
  // file's has three: their sum, which on three equal channels is the same.
  bool sum_input_channels = false;
  // Where the file's head is another, or missing: the head as InitialWeights
  // draws it from `seed`. A file's tensors of the head that the architecture
  // has with other head_units are left.
  bool fresh_head = false;
  uint64_t seed = 0;
};

// Returns every tensor of `architecture` in registry order, as float32. What a
// module counts beside its weights (int64 buffers, TorchXRayVision's
// op_threshs) is left where the architecture has no such tensor. Where the
// names fit only without a prefix that all of them have, the prefix goes
// (LeftOffPrefix). INVALID_ARGUMENT: missing, unexpected and misshapen tensors,
// all in one message, long lists cut short; a NaN, an infinity or a running
// variance below 0, with its tensor.
absl::StatusOr<std::vector<float>> FitWeights(
    const std::vector<NamedTensor>& tensors, const Architecture& architecture,
    const WeightsOptions& options);

// Returns the prefix that FitWeights takes off all names, such as "_orig_mod.",
// "model." or "module.encoder_q."; empty: none, or the tensors do not fit.
std::string LeftOffPrefix(const std::vector<NamedTensor>& tensors,
                          const Architecture& architecture,
                          const WeightsOptions& options);

// Returns those of the registry whose tensors these are, by names and shapes,
// with the file's classes, head and input channels. A prefix that all names
// have does not count.
std::vector<Architecture> FittingArchitectures(
    const std::vector<NamedTensor>& tensors);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_FIT_H_
