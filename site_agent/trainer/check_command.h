// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_CHECK_COMMAND_H_
#define HILUM_SITE_AGENT_TRAINER_CHECK_COMMAND_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace hilum {

// Adds `hilum-trainer check`, which `hilum-site doctor` runs: it prints what is
// right and wrong with a case manifest, confined to reading the manifest, its
// images and the studies. FAILED_PRECONDITION: a line begins with FAIL.
void AddCheckCommand(CLI::App& app, std::function<absl::Status()>& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CHECK_COMMAND_H_
