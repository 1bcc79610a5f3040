// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_INTAKE_CHANNEL_H_
#define HILUM_SITE_AGENT_INGEST_INTAKE_CHANNEL_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace hilum {

// Sends whole messages over a Unix SOCK_SEQPACKET, at most kMaxIntakeMessage
// bytes; longer ones are cut. A message may carry a descriptor.
inline constexpr size_t kMaxIntakeMessage = 4096;
struct IntakeMessage {
  std::string text;  // empty: the other side has closed
  ScopedFd fd;       // -1: none
};
// Errors: UNAVAILABLE: the other side is gone.
absl::Status SendIntakeMessage(int socket, absl::string_view text, int fd = -1);
absl::StatusOr<IntakeMessage> ReceiveIntakeMessage(int socket);
// Returns the two ends; executed programs do not inherit them.
absl::StatusOr<std::pair<ScopedFd, ScopedFd>> MakeIntakeSockets();

// The result of taking an object in.
struct IntakeAnswer {
  enum class Kind {
    kCommitted,  // a case, on disk
    kRefused,    // no case: kept and listed with its reason, on disk
    kFull,       // the disk is full: the sender may try again
    kError,      // not taken: the sender may try again
  };
  Kind kind = Kind::kError;
  std::string reason;
};

// The receiver's connection to the process that decodes. One request at a time.
// Not thread-safe. UNAVAILABLE: that process has ended.
class IntakeChannel {
 public:
  explicit IntakeChannel(ScopedFd socket) : socket_(std::move(socket)) {}

  // Takes a file of the incoming folder, by its name there. Durable when it
  // returns.
  absl::StatusOr<IntakeAnswer> Take(absl::string_view name);
  // Returns whether the store has had the object, as a case or refused.
  absl::StatusOr<bool> IsKnown(absl::string_view sop_instance);

 private:
  absl::StatusOr<std::string> Ask(absl::string_view question);

  ScopedFd socket_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_INTAKE_CHANNEL_H_
