// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_LISTENER_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_LISTENER_H_

#include <functional>
#include <iosfwd>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file.h"
#include "site_agent/ingest/intake_process.h"
#include "site_agent/ingest/network/association_scp.h"

namespace hilum {

// Limit of associations at a time, in all and for one address; others wait.
inline constexpr size_t kMaxAssociations = 16;
inline constexpr size_t kMaxAssociationsPerAddress = 12;

// A port that accepts associations, each in a process of its own, so that one
// peer's slow handshake or crash does not disturb the others. A connection gets
// its process when its first message is complete (WaitingConnections). Life:
// Open, Serve. Call with one thread.
class Listener {
 public:
  // `port` 0: any free port. INVALID_ARGUMENT: `address` is no IPv4 address;
  // UNAVAILABLE: the port is taken.
  static absl::StatusOr<Listener> Open(const std::string& address, int port);

  int port() const { return port_; }

  // Serves until SIGTERM or SIGINT. Then accepts no more, lets transfers finish
  // for at most ten seconds, and closes all. Memory: at most 256 MB an
  // association. INTERNAL: the intake's process ended. Calls `ready` when
  // signals are handled: from then on one may be sent.
  absl::Status Serve(
      IntakeProcess& intake, const ScpOptions& options, std::ostream& log,
      const std::function<void()>& ready = [] {});

 private:
  Listener(ScopedFd socket, int port)
      : socket_(std::move(socket)), port_(port) {}

  ScopedFd socket_;
  int port_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_LISTENER_H_
