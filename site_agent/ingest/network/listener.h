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

// So many associations at a time, and of one address; further ones wait.
inline constexpr size_t kMaxAssociations = 16;
inline constexpr size_t kMaxAssociationsPerAddress = 12;

// A port on which associations are accepted, each in a process of its own: what
// one peer brings about, a slow handshake or a crash, the others do not see. A
// connection gets its process when its first message has come whole
// (WaitingConnections).
// Life: Open, Serve. Call with one thread.
class Listener {
 public:
  // `port` 0: any that is free. INVALID_ARGUMENT: `address` is no IPv4 address;
  // UNAVAILABLE: the port is taken.
  static absl::StatusOr<Listener> Open(const std::string& address, int port);

  int port() const { return port_; }

  // Until SIGTERM or SIGINT: then no more are accepted, objects on their way
  // are taken to their end, ten seconds at most, and all is closed. Memory:
  // 256 MB an association at the most. INTERNAL: the intake's process ended.
  // `ready` is called once signals are taken: who is told by it may send one.
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
