// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/connection_probe.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/printable.h"
#include "common/crypto/tls/tls_probe.h"
#include "common/rpc/connection_fault_text.h"

namespace hilum {
namespace {

using Fault = ConnectionFault;

constexpr size_t kMaxProxyAnswer = 8192;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// The result of connecting.
struct Connected {
  ScopedFd fd;  // -1: not connected
  Fault fault = Fault::kNone;
  std::string detail;
};

class Prober {
 public:
  explicit Prober(const ProbeOptions& options)
      : options_(options), to_(SplitHostPort(options.target)) {}

  ConnectionProbe Run() {
    const bool by_proxy =
        options_.proxy.has_value() && !options_.proxy->at.host.empty();
    Connected connected = Connect(by_proxy ? options_.proxy->at : to_);
    if (connected.fault == Fault::kStopped) return {Fault::kStopped, ""};
    if (connected.fault != Fault::kNone) {
      const Fault fault = by_proxy ? Fault::kProxy : connected.fault;
      return {fault, Text(fault, connected.detail)};
    }
    if (by_proxy) {
      const std::string refusal = AskProxy(connected.fd.get());
      if (stopped_) return {Fault::kStopped, ""};
      if (!refusal.empty())
        return {Fault::kProxy, Text(Fault::kProxy, refusal)};
    }
    return Shake(connected.fd.get());
  }

 private:
  std::string Text(Fault fault, absl::string_view detail) const {
    return ConnectionFaultText({.target = options_.target,
                                .host = to_.host,
                                .proxy = options_.proxy,
                                .patience = options_.patience,
                                .detail = std::string(detail)},
                               fault);
  }

  // Returns whether the socket is ready in time.
  bool Wait(int fd, short events) {
    const absl::Time deadline = RealClock().Now() + options_.patience;
    for (;;) {
      pollfd waits[] = {{fd, events, 0}, {options_.stop_fd, POLLIN, 0}};
      const int64_t left = std::max<int64_t>(
          0, absl::ToInt64Milliseconds(deadline - RealClock().Now()));
      const int ready = poll(waits, 2, static_cast<int>(left));
      if (ready < 0 && errno == EINTR) continue;
      stopped_ = ready > 0 && waits[1].revents != 0;
      return ready > 0 && !stopped_;
    }
  }

  Connected ConnectTo(const addrinfo& address) {
    Connected out;
    out.fd = ScopedFd(socket(address.ai_family,
                             SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    int error = out.fd.get() < 0 ? errno : 0;
    if (error == 0 &&
        connect(out.fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
      error = errno;
    }
    if (error == EINPROGRESS) {
      if (!Wait(out.fd.get(), POLLOUT)) {
        return {ScopedFd(), stopped_ ? Fault::kStopped : Fault::kDropped,
                "no answer"};
      }
      socklen_t size = sizeof error;
      getsockopt(out.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) return out;
    out.fault = error == ECONNREFUSED ? Fault::kRefused
                : error == ETIMEDOUT  ? Fault::kDropped
                                      : Fault::kUnreachable;
    return {ScopedFd(), out.fault, std::strerror(error)};
  }

  // Connects to the first address that accepts; returns the last address's
  // fault.
  Connected Connect(const HostPort& at) {
    addrinfo hints = {}, *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    const int error =
        getaddrinfo(at.host.c_str(), at.port.c_str(), &hints, &list);
    if (error != 0) {
      return {ScopedFd(), Fault::kNoAddress, gai_strerror(error)};
    }
    const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
    Connected last{ScopedFd(), Fault::kNoAddress, "no address"};
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
      last = ConnectTo(*one);
      if (last.fault == Fault::kNone || stopped_) break;
    }
    return last;
  }

  // Asks the proxy for the connection (RFC 9110 section 9.3.6). Returns its
  // answer; empty: the connection is made.
  std::string AskProxy(int fd) {
    const std::string& to = options_.target;
    const std::string request =
        absl::StrCat("CONNECT ", to, " HTTP/1.0\r\nHost: ", to, "\r\n\r\n");
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      return "it ended the connection";
    }
    std::string answer;
    // Reads byte by byte: bytes behind the header belong to TLS.
    while (!absl::EndsWith(answer, "\r\n\r\n")) {
      char byte;
      const ssize_t got = recv(fd, &byte, 1, 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (!Wait(fd, POLLIN)) return "it does not answer";
        continue;
      }
      if (got <= 0) {
        return answer.empty() ? "it ended the connection" : FirstLine(answer);
      }
      answer.push_back(byte);
      if (answer.size() > kMaxProxyAnswer) return "it is no HTTP proxy";
    }
    const size_t space = answer.find(' ');
    const bool made = absl::StartsWith(answer, "HTTP/1.") &&
                      space != std::string::npos && answer[space + 1] == '2';
    return made ? "" : FirstLine(answer);
  }

  static std::string FirstLine(absl::string_view answer) {
    return absl::StrCat("it answers '",
                        Printable(answer.substr(0, answer.find('\r')), 100),
                        "'");
  }

  ConnectionProbe Shake(int fd) {
    const TlsPeer peer = ProbeTls(fd, {.identity = options_.identity,
                                       .host = to_.host,
                                       .patience = options_.patience,
                                       .stop_fd = options_.stop_fd});
    const Fault fault = FaultOf(peer.outcome);
    if (fault == Fault::kNone || fault == Fault::kStopped) return {fault, ""};
    return {fault, ConnectionFaultText({.target = options_.target,
                                        .host = to_.host,
                                        .proxy = options_.proxy,
                                        .patience = options_.patience,
                                        .peer = peer,
                                        .detail = peer.detail},
                                       fault)};
  }

  static Fault FaultOf(TlsPeer::Outcome outcome) {
    using Outcome = TlsPeer::Outcome;
    switch (outcome) {
      case Outcome::kRight:
        return Fault::kNone;
      case Outcome::kNotTls:
        return Fault::kNotTls;
      case Outcome::kOldTls:
        return Fault::kOldTls;
      case Outcome::kOtherAuthority:
        return Fault::kOtherAuthority;
      case Outcome::kOtherName:
        return Fault::kOtherName;
      case Outcome::kExpired:
        return Fault::kExpired;
      case Outcome::kNotYetValid:
        return Fault::kNotYetValid;
      case Outcome::kTurnedAway:
        return Fault::kTurnedAway;
      case Outcome::kClosed:
        return Fault::kClosed;
      case Outcome::kSilent:
        return Fault::kSilent;
      case Outcome::kStopped:
        break;
    }
    return Fault::kStopped;
  }

  const ProbeOptions& options_;
  const HostPort to_;
  bool stopped_ = false;
};

}  // namespace

ConnectionProbe ProbeConnection(const ProbeOptions& options) {
  return Prober(options).Run();
}

}  // namespace hilum
