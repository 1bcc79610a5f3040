// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer orientation`: trains and scores the orientation network.
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_COMMAND_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Adds the subcommands train and score; parsing one sets `action`. The action
// gives up the network before it opens an image.
void AddOrientationCommand(CLI::App& app,
                           std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_COMMAND_H_
