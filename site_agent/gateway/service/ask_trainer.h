// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_ASK_TRAINER_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_ASK_TRAINER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hilum {

// The output of a program that has ended.
struct TrainerAnswer {
  int exit_code;                   // 128 + N where signal N ended it
  std::vector<std::string> lines;  // of its standard output
};

// Runs `binary` with `arguments` to its end and returns what it printed. The
// program shares our standard error, has no input, and ends with this process.
// Call while this process has one thread. RESOURCE_EXHAUSTED: it printed over 1
// MiB, and was ended. Errors of ErrnoStatus: it cannot be started.
absl::StatusOr<TrainerAnswer> AskTrainer(
    const std::string& binary, const std::vector<std::string>& arguments);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_ASK_TRAINER_H_
