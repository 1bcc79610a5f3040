// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CONFIG_MESSAGE_YAML_H_
#define HILUM_COMMON_CONFIG_MESSAGE_YAML_H_

#include <string>

#include "google/protobuf/message.h"

namespace hilum {

// Returns YAML that ParseYaml (common/config) reads back into the same message.
// Omits fields at their default. For messages without maps, groups or oneofs:
// studies and configurations.
std::string MessageToYaml(const google::protobuf::Message& message);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_MESSAGE_YAML_H_
