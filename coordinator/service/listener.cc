// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hilum {
namespace {

constexpr int kFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses Resolve(const HostAndPort& where) {
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  std::string host = where.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(where.port).c_str(), &hints,
                  &found) != 0) {
    found = nullptr;
  }
  return Addresses(found, &freeaddrinfo);
}

bool Listen(int fd, const addrinfo& address) {
  const int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.ai_family == AF_INET6) {  // `[::]` serves IPv4 as well
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  return bind(fd, address.ai_addr, address.ai_addrlen) == 0 &&
         listen(fd, SOMAXCONN) == 0;
}

int PortOf(int fd) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6
                   ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                   : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

PeerAddress DescribeIpv4(const void* address, in_port_t port) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, address, text, sizeof(text));
  return {absl::StrCat("ipv4:", text, ":", ntohs(port)), text};
}

}  // namespace

absl::StatusOr<HostAndPort> ParseListen(const std::string& listen) {
  size_t colon = listen.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "listen: '", listen, "' is not host:port, e.g. 0.0.0.0:8443"));
  }
  return HostAndPort{listen.substr(0, colon), static_cast<int>(port)};
}

absl::StatusOr<ScopedFd> ListenOnTcp(HostAndPort& where) {
  const Addresses found = Resolve(where);
  for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    ScopedFd fd(socket(at->ai_family, kFlags, 0));
    if (fd.get() < 0 || !Listen(fd.get(), *at)) continue;
    where.port = PortOf(fd.get());
    return fd;
  }
  return absl::UnavailableError(
      absl::StrCat("listen: cannot bind ", where.host, ":", where.port,
                   "; is the port in use, or the address not this machine's?"));
}

absl::StatusOr<ScopedFd> ListenOnUnix(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const bool fits = path.size() < sizeof(address.sun_path);
  if (fits) std::memcpy(address.sun_path, path.data(), path.size());
  unlink(path.c_str());
  ScopedFd fd(socket(AF_UNIX, kFlags, 0));
  if (!fits || fd.get() < 0 ||
      bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
          0 ||
      chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 ||
      listen(fd.get(), SOMAXCONN) != 0) {
    return absl::UnavailableError(absl::StrCat(
        path, ": cannot listen here; a path of a socket may have at ",
        "most 107 characters, and its folder must be writable"));
  }
  return fd;
}

PeerAddress DescribePeer(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    return DescribeIpv4(&v4.sin_addr, v4.sin_port);
  }
  if (from.ss_family != AF_INET6) return {"unix:", "the admin socket"};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    return DescribeIpv4(&v6.sin6_addr.s6_addr[12], v6.sin6_port);
  }
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  PeerAddress peer;
  peer.peer = absl::StrCat("ipv6:[", text, "]:", ntohs(v6.sin6_port));
  in6_addr network = v6.sin6_addr;
  std::memset(&network.s6_addr[8], 0, 8);
  inet_ntop(AF_INET6, &network, text, sizeof(text));
  peer.address = absl::StrCat(text, "/64");
  return peer;
}

std::string UnescapePeer(const std::string& peer) {
  std::string plain =
      absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
  // Removes a scope (fe80::1%eth0), which DescribePeer does not show.
  const size_t scope = plain.find('%'), end = plain.find(']');
  if (scope != std::string::npos && end != std::string::npos && scope < end) {
    plain.erase(scope, end - scope);
  }
  return plain;
}

}  // namespace hilum
