// SPDX-License-Identifier: Apache-2.0
// hilum-sim's subcommands. Each Add function declares its options on `app` and
// stores the subcommand's work in `action` once that subcommand is parsed.
#ifndef HILUM_SIM_COMMANDS_H_
#define HILUM_SIM_COMMANDS_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

using CommandAction = std::function<absl::Status()>;

void AddRunCommand(CLI::App& app, CommandAction& action);
void AddPhantomsCommand(CLI::App& app, CommandAction& action);
void AddPartitionCommand(CLI::App& app, CommandAction& action);
void AddTableCommand(CLI::App& app, CommandAction& action);

}  // namespace hilum

#endif  // HILUM_SIM_COMMANDS_H_
