// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_WAITING_CONNECTIONS_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_WAITING_CONNECTIONS_H_

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/base/file.h"

namespace hilum {

inline constexpr size_t kMaxWaiting = 256;
inline constexpr size_t kMaxWaitingPerAddress = 64;
inline constexpr absl::Duration kFirstMessageTime = absl::Seconds(30);

// A peer's first message: an A-ASSOCIATE-RQ PDU (PS3.8 section 9.3.2), or a TLS
// record (RFC 8446, 5.1).
enum class FirstMessage { kAssociationRequest, kTlsRecord };

// Connections whose first message is not complete, or for which no process is
// free. Each costs a descriptor but no process, so that silent peers block
// nobody. Not thread-safe.
class WaitingConnections {
 public:
  struct Connection {
    ScopedFd fd;
    uint32_t address;  // IPv4, network byte order
  };

  explicit WaitingConnections(FirstMessage expected) : expected_(expected) {}

  // Returns whether one more can be added: some connection is still silent, or
  // there is space.
  bool HasRoom() const;

  // Adds a TCP connection. If there are too many, in all or of this address,
  // closes the one that has been silent the longest. Call while HasRoom().
  void Add(Connection connection, absl::Time now);

  // Appends the descriptors to poll.
  void AppendPolls(std::vector<pollfd>& polls) const;

  // Checks all connections. Closes those that have ended, that began with
  // another message, or that were silent for kFirstMessageTime.
  void Look(absl::Time now);

  // Removes and returns the first connection whose message has arrived and
  // whose address `may` be served now.
  std::optional<Connection> Take(absl::FunctionRef<bool(uint32_t)> may);

  void CloseAll() { waiting_.clear(); }

  size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    Connection connection;
    absl::Time since;
    bool ready = false;
  };
  enum class State { kSilent, kReady, kEnded };

  State StateOf(int fd) const;
  bool DropOldestSilent(absl::FunctionRef<bool(uint32_t)> of);

  FirstMessage expected_;
  std::list<Waiting> waiting_;  // oldest first
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_WAITING_CONNECTIONS_H_
