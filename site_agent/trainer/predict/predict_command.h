// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_COMMAND_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Adds the subcommand; parsing it sets `action`.
void AddPredictCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICT_COMMAND_H_
