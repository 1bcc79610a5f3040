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
  // Where the file has no head or one of another number of classes: the head
  // as InitialWeights draws it from `seed`.
  bool fresh_head = false;
  uint64_t seed = 0;
};

// Every tensor of `architecture` in registry order, as float32. What a module
// counts beside its weights (int64 buffers, TorchXRayVision's op_threshs) is
// left where the architecture has no such tensor. INVALID_ARGUMENT: missing,
// unexpected and misshapen tensors, all in one message, long lists cut short;
// a NaN or infinity, with its tensor.
absl::StatusOr<std::vector<float>> FitWeights(
    const std::vector<NamedTensor>& tensors, const Architecture& architecture,
    const WeightsOptions& options);

struct Fitting {
  Architecture architecture;
  int classes;              // of the file's head
  bool sum_input_channels;  // it fits only so
};

// Those of the registry whose tensors these are, by names and shapes.
std::vector<Fitting> FittingArchitectures(
    const std::vector<NamedTensor>& tensors);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_FIT_H_
