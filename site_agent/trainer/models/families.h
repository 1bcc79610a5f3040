// SPDX-License-Identifier: Apache-2.0
// The constructors of the networks for MakeNetwork, one source file each.
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_FAMILIES_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_FAMILIES_H_

#include <memory>

#include "common/model/architecture.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {

std::unique_ptr<Network> MakeDenseNet(TensorTable& table,
                                      const Architecture& architecture);
std::unique_ptr<Network> MakeHilumSmall(TensorTable& table,
                                        const Architecture& architecture);
std::unique_ptr<Network> MakeResNet(TensorTable& table,
                                    const Architecture& architecture);
std::unique_ptr<Network> MakeVgg(TensorTable& table,
                                 const Architecture& architecture);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_FAMILIES_H_
