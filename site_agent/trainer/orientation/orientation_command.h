// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer orientation`: how a radiograph lies.
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_COMMAND_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Adds the subcommands train and score; what to do is in `action` once one was
// parsed. The network is denied before any image is opened.
void AddOrientationCommand(CLI::App& app,
                           std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_COMMAND_H_
