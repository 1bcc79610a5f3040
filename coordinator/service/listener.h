// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_LISTENER_H_
#define HILUM_COORDINATOR_SERVICE_LISTENER_H_

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"
#include "common/base/file.h"

namespace hilum {

struct HostAndPort {
  std::string host;  // an IPv6 address in its brackets
  int port = 0;
};

// INVALID_ARGUMENT: not host:port.
absl::StatusOr<HostAndPort> ParseListen(const std::string& listen);

// Listens; port 0 picks a free one and sets `where.port`. UNAVAILABLE: the port
// is taken, or the address is not this machine's.
absl::StatusOr<ScopedFd> ListenOnTcp(HostAndPort& where);

// Listens at `path`; replaces an abandoned socket there. Only this user may
// connect. UNAVAILABLE: the path is too long or its folder not writable.
absl::StatusOr<ScopedFd> ListenOnUnix(const std::string& path);

// A peer as gRPC names it, e.g. ipv4:192.0.2.1:4711 or ipv6:[2001:db8::1]:4711,
// and its address for counting connections: its IPv4 address or the /64 of its
// IPv6 address (2001:db8::/64), since one customer has a whole /64. An IPv4
// address within IPv6 counts as IPv4.
struct PeerAddress {
  std::string peer, address;
};
PeerAddress DescribePeer(const sockaddr_storage& from);

// Returns the same form from grpc::ServerContext::peer(), which escapes
// brackets.
std::string UnescapePeer(const std::string& peer);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_LISTENER_H_
