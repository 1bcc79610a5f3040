// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_INPUT_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_INPUT_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "common/model/architecture.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns gray pixels [n, size, size], 0 to 1, as the network's input [n,
// channels, size, size], with the model's preprocessing, in the fastest memory
// order for the architecture, on `device`. May refer to `pixels`.
at::Tensor NetworkInput(std::vector<float>& pixels, int64_t size,
                        const Architecture& architecture,
                        const v1::Model& model, at::Device device);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_INPUT_H_
