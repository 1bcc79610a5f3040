// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_LAUNCHER_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_LAUNCHER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/file.h"
#include "site_agent/trainer/service/trainer_child.h"

namespace hilum {

// A process that starts trainers for the gateway. The gateway itself may not
// start programs (ConfineGateway), and a trainer started here inherits none of
// its files. The launcher is forked before the gateway has keys, threads or a
// network, and does two things: start the one command line that it was made
// with, and end what it started. The launcher and its trainers end with the
// gateway, even if the gateway crashes. Life: Start, then StartTrainer and
// EndTrainer in turn. Not thread-safe.
class TrainerLauncher {
 public:
  // Call while this process has one thread, before ConfineGateway. INTERNAL: no
  // process.
  static absl::StatusOr<std::unique_ptr<TrainerLauncher>> Start(
      std::string binary, std::vector<std::string> arguments);
  ~TrainerLauncher();

  // Fail like StartTrainer and EndTrainer in trainer_child.h. UNAVAILABLE also:
  // the launcher has ended.
  absl::StatusOr<TrainerChild> StartTrainer();
  std::string EndTrainer(pid_t pid);

 private:
  TrainerLauncher(pid_t pid, ScopedFd socket)
      : pid_(pid), socket_(std::move(socket)) {}

  const pid_t pid_;
  ScopedFd socket_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_LAUNCHER_H_
