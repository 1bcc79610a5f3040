// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/proxy.h"

#include <arpa/inet.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <netinet/in.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hilum {
namespace {

constexpr absl::string_view kScheme = "http://";

// Returns the bytes of an IPv4 or IPv6 address, 4 or 16; empty: a name.
std::string AddressBytes(absl::string_view host) {
  const std::string text(host);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) {
    return std::string(bytes, bytes + 4);
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) {
    return std::string(bytes, bytes + 16);
  }
  return "";
}

// Returns whether the first `bits` of two addresses of one kind are equal.
bool SharePrefix(const std::string& a, const std::string& b, int bits) {
  if (a.size() != b.size() || bits > static_cast<int>(8 * a.size())) {
    return false;
  }
  for (int i = 0; i < bits; ++i) {
    const int shift = 7 - i % 8;
    if (((a[i / 8] ^ b[i / 8]) >> shift & 1) != 0) return false;
  }
  return true;
}

bool IsInRange(const std::string& host, absl::string_view range) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(range, absl::MaxSplits('/', 1));
  int bits = 0;
  const std::string address = AddressBytes(host);
  return !address.empty() && absl::SimpleAtoi(parts.second, &bits) &&
         bits >= 0 && SharePrefix(address, AddressBytes(parts.first), bits);
}

// Returns whether one entry of no_proxy covers the host.
bool Covers(absl::string_view entry, const HostPort& target) {
  if (entry == "*") return true;
  if (absl::StrContains(entry, '/')) return IsInRange(target.host, entry);
  const std::string address = AddressBytes(target.host);
  if (!address.empty() && AddressBytes(entry) == address) return true;
  HostPort named = SplitHostPort(entry);
  if (!named.port.empty() && named.port != target.port) return false;
  absl::string_view name = named.host;
  absl::ConsumePrefix(&name, "*");
  absl::ConsumePrefix(&name, ".");
  if (name.empty()) return false;
  if (absl::EqualsIgnoreCase(name, target.host)) return true;
  return address.empty() &&
         absl::EndsWithIgnoreCase(target.host, absl::StrCat(".", name));
}

bool IsExempt(const HostPort& target, const ReadVariable& read) {
  const char* list = read("no_grpc_proxy");
  if (list == nullptr) list = read("no_proxy");
  if (list == nullptr) return false;
  for (absl::string_view entry :
       absl::StrSplit(list, absl::ByAnyChar(", \t"), absl::SkipEmpty())) {
    if (Covers(entry, target)) return true;
  }
  return false;
}

Proxy ParseProxy(const char* variable, absl::string_view value) {
  Proxy proxy{.variable = variable, .url = std::string(value)};
  absl::string_view rest = value;
  // gRPC needs a scheme; curl and others do not.
  if (!absl::StrContains(rest, "://")) {
    proxy.url = absl::StrCat(kScheme, value);
  } else if (!absl::ConsumePrefix(&rest, kScheme)) {
    return proxy;
  }
  rest = rest.substr(0, rest.find('/'));
  const size_t at = rest.rfind('@');
  if (at != absl::string_view::npos) rest.remove_prefix(at + 1);
  proxy.at = SplitHostPort(rest);
  if (proxy.at.port.empty()) proxy.at.port = "80";
  return proxy;
}

}  // namespace

HostPort SplitHostPort(absl::string_view target) {
  if (absl::StartsWith(target, "[")) {
    const size_t end = target.find(']');
    if (end == absl::string_view::npos) return {std::string(target), ""};
    absl::string_view port = target.substr(end + 1);
    absl::ConsumePrefix(&port, ":");
    return {std::string(target.substr(1, end - 1)), std::string(port)};
  }
  const size_t colon = target.find(':');
  // Several colons: an IPv6 address alone.
  if (colon == absl::string_view::npos || colon != target.rfind(':')) {
    return {std::string(target), ""};
  }
  return {std::string(target.substr(0, colon)),
          std::string(target.substr(colon + 1))};
}

bool IsLoopbackHost(absl::string_view host) {
  absl::ConsumeSuffix(&host, ".");
  if (absl::EqualsIgnoreCase(host, "localhost") ||
      absl::EndsWithIgnoreCase(host, ".localhost")) {
    return true;
  }
  return IsInRange(std::string(host), "127.0.0.0/8") ||
         IsInRange(std::string(host), "::1/128") ||
         IsInRange(std::string(host), "::ffff:127.0.0.0/104");
}

std::optional<Proxy> ProxyFor(absl::string_view target,
                              const ReadVariable& read) {
  const HostPort to = SplitHostPort(target);
  if (IsLoopbackHost(to.host) || IsExempt(to, read)) return std::nullopt;
  for (const char* variable : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    const char* value = read(variable);
    if (value == nullptr) continue;
    if (*value == '\0') return std::nullopt;
    return ParseProxy(variable, value);
  }
  return std::nullopt;
}

std::optional<Proxy> ProxyFor(absl::string_view target) {
  return ProxyFor(target, [](const char* name) { return std::getenv(name); });
}

void SetProxy(const std::optional<Proxy>& proxy,
              grpc::ChannelArguments& arguments) {
  if (proxy.has_value() && !proxy->at.host.empty()) {
    arguments.SetString(GRPC_ARG_HTTP_PROXY, proxy->url);
  } else {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
}

}  // namespace hilum
