// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_SERVER_H_
#define HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_SERVER_H_

#include "absl/status/status.h"
#include "common/base/file.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// Serves a trainer over a connected Unix socket until the other end goes
// away. One call at a time.
absl::Status ServeTrainer(Trainer& trainer, ScopedFd socket);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_SERVER_H_
