// SPDX-License-Identifier: Apache-2.0
// hilum-certs' subcommands. Each Add function declares its options on `app` and
// stores the subcommand's work in `action` once that subcommand is parsed.
#ifndef HILUM_CERTS_COMMANDS_H_
#define HILUM_CERTS_COMMANDS_H_

#include <functional>

#include "absl/status/status.h"
#include "common/base/clock.h"

namespace CLI {
class App;
}

namespace hilum {

using CertsAction = std::function<absl::Status()>;

void AddInitCommand(CLI::App& app, Clock& clock, CertsAction& action);
void AddSiteCommand(CLI::App& app, CertsAction& action);
void AddSignCommand(CLI::App& app, Clock& clock, CertsAction& action);
void AddShowCommand(CLI::App& app, CertsAction& action);

}  // namespace hilum

#endif  // HILUM_CERTS_COMMANDS_H_
