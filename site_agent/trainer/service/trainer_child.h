// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CHILD_H_
#define HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/file.h"

namespace hilum {

// Where a trainer's output and errors go: to this process's own, or into a pipe
// so that no byte of them reaches a terminal or a log unseen.
enum class TrainerOutput { kInherited, kPiped };

// A running `BINARY serve --socket-fd N ARGUMENTS`, and our end of its socket,
// over which no descriptor passes where the kernel can refuse it (6.16 on).
// It has no input, and a session of its own: no terminal is its. It ends with
// this process, however this one ends. It ignores SIGINT and SIGTERM, which a
// terminal or systemd sends to all processes of a group.
struct TrainerChild {
  pid_t pid;
  ScopedFd socket;
  ScopedFd output = ScopedFd(-1);  // kPiped: the end to read
};

// Errors as ErrnoStatus.
absl::StatusOr<TrainerChild> StartTrainer(
    const std::string& binary, const std::vector<std::string>& arguments,
    TrainerOutput output = TrainerOutput::kInherited);

// Kills it, with all that it has started and left running, and waits for it;
// how it had ended, for people.
std::string EndTrainer(pid_t pid);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CHILD_H_
