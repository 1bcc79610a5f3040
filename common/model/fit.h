// SPDX-License-Identifier: Apache-2.0
// Fits the tensors of a file to an architecture.
#ifndef HILUM_COMMON_MODEL_FIT_H_
#define HILUM_COMMON_MODEL_FIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/architecture.h"
#include "common/model/tensor_view.h"

namespace hilum {

// Differences that are allowed between a file and an architecture; none by
// default.
struct WeightsOptions {
  // Sums the file's three input channels where the architecture's first
  // convolution has one. On three equal channels the result is the same.
  bool sum_input_channels = false;
  // Replaces the file's head, which is another one or missing, by the head that
  // InitialWeights draws from `seed`. Ignores the file's tensors of the
  // architecture's head with other head_units.
  bool fresh_head = false;
  // With fresh_head: replaces a head that fits by its shapes, too, since its
  // classes are others (CompareWithStudy).
  bool replace_head = false;
  uint64_t seed = 0;
};

// Returns every tensor of `architecture` in registry order, as float32. Ignores
// a module's counters (int64 buffers, TorchXRayVision's op_threshs) where the
// architecture has no such tensor. Where the names fit only without a prefix
// that all of them have, removes the prefix (LeftOffPrefix). INVALID_ARGUMENT:
// missing, unexpected and misshapen tensors, all in one message, with long
// lists cut short; a NaN, an infinity or a running variance below 0, with its
// tensor.
absl::StatusOr<std::vector<float>> FitWeights(
    const std::vector<NamedTensor>& tensors, const Architecture& architecture,
    const WeightsOptions& options);

// Returns the prefix that FitWeights removes from all names, such as
// "_orig_mod.", "model." or "module.encoder_q."; empty: none, or the tensors do
// not fit.
std::string LeftOffPrefix(const std::vector<NamedTensor>& tensors,
                          const Architecture& architecture,
                          const WeightsOptions& options);

// Returns the registry's architectures that these tensors fit, by names and
// shapes, with the file's classes, head and input channels. Ignores a prefix
// that all names have.
std::vector<Architecture> FittingArchitectures(
    const std::vector<NamedTensor>& tensors);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_FIT_H_
