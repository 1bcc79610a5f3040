// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CHILD_H_
#define HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/file.h"

namespace hilum {

// The destination of a trainer's output and errors: this process's own, or a
// pipe, so that no byte reaches a terminal or a log unchecked.
enum class TrainerOutput { kInherited, kPiped };

// A running `BINARY serve --socket-fd N ARGUMENTS`, and our end of its socket.
// Where the kernel can refuse it (6.16 on), the socket passes no descriptor.
// The trainer has no input, no terminal and a session of its own. It ends with
// this process, however this process ends. It ignores SIGINT and SIGTERM, which
// a terminal or systemd sends to all processes of a group.
struct TrainerChild {
  pid_t pid;
  ScopedFd socket;
  ScopedFd output = ScopedFd(-1);  // kPiped: the end to read
};

// Errors as ErrnoStatus.
absl::StatusOr<TrainerChild> StartTrainer(
    const std::string& binary, const std::vector<std::string>& arguments,
    TrainerOutput output = TrainerOutput::kInherited);

// Kills the trainer and all processes that it started, and waits for it;
// returns how it ended, in words for people.
std::string EndTrainer(pid_t pid);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CHILD_H_
