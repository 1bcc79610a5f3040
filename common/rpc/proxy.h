// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_RPC_PROXY_H_
#define HILUM_COMMON_RPC_PROXY_H_

#include <grpcpp/support/channel_arguments.h>

#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

struct HostPort {
  std::string host;  // without brackets
  std::string port;  // empty: none was given
};

// Splits "HOST:PORT", "[ADDRESS]:PORT" or a host alone.
HostPort SplitHostPort(absl::string_view target);

// Returns whether a host is this machine itself: localhost and names below it
// (RFC 6761 section 6.3), 127.0.0.0/8, ::1.
bool IsLoopbackHost(absl::string_view host);

// An HTTP proxy, named by an environment variable.
struct Proxy {
  std::string variable;  // "https_proxy"
  std::string url;       // with credentials, if any: for no log
  HostPort at;           // host empty: the value is no http://HOST:PORT
};

// Reads an environment variable; null: it is not set.
using ReadVariable = std::function<const char*(const char* name)>;

// Returns the proxy for a channel to `target` ("HOST:PORT"); nullopt: the
// channel connects directly. The first variable that is set counts, of
// grpc_proxy, https_proxy and http_proxy; an empty one means no proxy. These
// hosts need no proxy: loopback, always, and the hosts in no_grpc_proxy or else
// no_proxy, separated by commas: "*" (all hosts), a name with all names below
// it, an address, or a range of addresses such as 10.0.0.0/8.
std::optional<Proxy> ProxyFor(absl::string_view target,
                              const ReadVariable& read);
// Reads the environment of this process.
std::optional<Proxy> ProxyFor(absl::string_view target);

// Makes a channel use `proxy`, or no proxy where there is none or it is
// unusable. gRPC's own choice would send loopback through a proxy, and knows
// neither "*" nor ranges.
void SetProxy(const std::optional<Proxy>& proxy,
              grpc::ChannelArguments& arguments);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_PROXY_H_
