// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_COORDINATOR_CONFIG_H_
#define HILUM_COORDINATOR_COORDINATOR_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "hilum/v1/config.pb.h"

namespace hilum {

// Returns the coordinator's configuration; relative paths start at the file's
// folder. INVALID_ARGUMENT: file, line, column; or a field is missing.
absl::StatusOr<v1::CoordinatorConfig> LoadCoordinatorConfig(
    const std::string& path);

// Returns the path of the coordinator's socket for the operator's commands.
std::string AdminSocket(const v1::CoordinatorConfig& config);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_COORDINATOR_CONFIG_H_
