// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVE_COMMAND_H_
#define HILUM_COORDINATOR_SERVE_COMMAND_H_

#include <string>

#include "absl/status/status.h"

namespace hilum {

// Serves sites and the operator until SIGINT or SIGTERM. Call with one thread.
absl::Status ServeCoordinator(const std::string& config_path);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVE_COMMAND_H_
