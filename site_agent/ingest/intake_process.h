// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_INTAKE_PROCESS_H_
#define HILUM_SITE_AGENT_INGEST_INTAKE_PROCESS_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "site_agent/ingest/intake_channel.h"
#include "site_agent/ingest/receiving_options.h"

namespace hilum {

// The process that decodes and writes the store, while another process has the
// network: a child confined to the store (ConfineIngest), forked before this
// process opens a network socket. It ends, after a last export, when this
// object and all channels are closed, also by a kill. Life: Start, Open any
// number of times, Finish. Not thread-safe.
class IntakeProcess {
 public:
  // Returns when the store is open and the files in the incoming folder are
  // taken. Call with one thread. Errors as ReceivingIntake::Open; UNAVAILABLE
  // also: no seccomp here, so nothing is decoded.
  static absl::StatusOr<IntakeProcess> Start(const ReceivingOptions& options);

  absl::StatusOr<IntakeChannel> Open();
  pid_t pid() const { return pid_; }

  // Waits for its end; all channels must be closed, or their processes end.
  // INTERNAL: it ended by itself, or could not export.
  absl::Status Finish() &&;

 private:
  IntakeProcess(pid_t pid, ScopedFd control)
      : pid_(pid), control_(std::move(control)) {}

  pid_t pid_;
  ScopedFd control_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_INTAKE_PROCESS_H_
