// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SERVE_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_SERVE_COMMAND_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Adds `hilum-trainer serve`, which the gateway starts. The process is confined
// to the manifest's images, the --read paths and the folder of --work.
void AddServeCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SERVE_COMMAND_H_
