// SPDX-License-Identifier: Apache-2.0
// `hilum-coordinator study ...`: the operator's commands to a running
// coordinator.
#ifndef HILUM_COORDINATOR_STUDY_COMMANDS_H_
#define HILUM_COORDINATOR_STUDY_COMMANDS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "hilum/v1/admin.pb.h"

namespace CLI {
class App;
}

namespace hilum {

// Adds `study` and its commands to `app`; stores the parsed command's work in
// `action`.
void AddStudyCommands(CLI::App& app, std::function<absl::Status()>& action);

// Returns one line for people: the hash's first digits, name, phase, round.
std::string StatusLine(const v1::StudyStatus& status);

// Returns one line of JSON: hash, name, phase (lower case), round, rounds,
// mean_loss (null before the first), waiting_for (names), unable (reasons by
// site), reason (null unless stopped), warning (null unless there is one).
std::string StatusJson(const v1::StudyStatus& status);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STUDY_COMMANDS_H_
