// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_INPUT_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_INPUT_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "common/model/architecture.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Gray pixels [n, size, size], 0 to 1, as a network takes them: [n, channels,
// size, size], by the model's preprocessing, in the memory order that its
// architecture is fastest in, on `device`. May refer to `pixels`.
at::Tensor NetworkInput(std::vector<float>& pixels, int64_t size,
                        const Architecture& architecture,
                        const v1::Model& model, at::Device device);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_INPUT_H_
