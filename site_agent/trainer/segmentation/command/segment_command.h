// SPDX-License-Identifier: Apache-2.0
// `hilum-trainer segment`: finds the lungs.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_COMMAND_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Adds the subcommands train, run, score and judge; parsing one sets `action`.
// The action gives up the network before it opens an image.
void AddSegmentCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_COMMAND_H_
