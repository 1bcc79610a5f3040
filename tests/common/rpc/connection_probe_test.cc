// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/connection_probe.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "tests/common/crypto/tls/fake_servers.h"

namespace hilum {
namespace {

using Fault = ConnectionFault;

class ConnectionProbeTest : public testing::Test {
 protected:
  ConnectionProbeTest() { std::signal(SIGPIPE, SIG_IGN); }

  ConnectionProbe Probe(const std::string& target,
                        std::optional<Proxy> proxy = std::nullopt) const {
    return ProbeConnection({.target = target,
                            .identity = &site_,
                            .proxy = std::move(proxy),
                            .patience = absl::Milliseconds(1500)});
  }
  ConnectionProbe ProbePort(int port) const {
    return Probe(absl::StrCat("127.0.0.1:", port));
  }
  Identity Coordinator() const {
    return MakeIdentity({.hosts = {"127.0.0.1"}}, authority_, now_);
  }
  static Proxy ProxyAt(int port) {
    return {.variable = "https_proxy",
            .url = absl::StrCat("http://u:secret@127.0.0.1:", port),
            .at = {"127.0.0.1", absl::StrCat(port)}};
  }
  // Checks that the fault's text contains `words`.
  static void Expect(const ConnectionProbe& probe, Fault fault,
                     const std::vector<std::string>& words) {
    EXPECT_EQ(static_cast<int>(probe.fault), static_cast<int>(fault))
        << probe.text;
    for (const std::string& word : words) {
      EXPECT_TRUE(absl::StrContains(probe.text, word)) << probe.text;
    }
    EXPECT_FALSE(absl::StrContains(probe.text, "secret")) << probe.text;
  }

  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("lungs", now_).value();
  const Identity site_ = MakeIdentity({.site = "st-mary"}, authority_, now_);
};

TEST_F(ConnectionProbeTest, TheRightCoordinatorIsNoFault) {
  LoopbackServer server(ShakingHands(Coordinator()));
  Expect(ProbePort(server.port()), Fault::kNone, {});
}

TEST_F(ConnectionProbeTest, WhatTcpShowsIsToldApart) {
  Expect(ProbePort(ClosedPort()), Fault::kRefused,
         {"refused", "nothing listens"});
  const DroppingPort dropping;
  Expect(ProbePort(dropping.port()), Fault::kDropped,
         {"firewall", absl::StrCat("127.0.0.1:", dropping.port())});
  Expect(Probe("no-such-host.invalid:1"), Fault::kNoAddress,
         {"no-such-host.invalid", "DNS"});
}

TEST_F(ConnectionProbeTest, WhatTlsShowsIsToldApart) {
  LoopbackServer http(Answering("HTTP/1.0 400 Bad request\r\n\r\n"));
  Expect(ProbePort(http.port()), Fault::kNotTls,
         {"does not speak TLS"});  // its words may be lost with the reset
  LoopbackServer old(ShakingHands(Coordinator(), true));
  Expect(ProbePort(old.port()), Fault::kOldTls, {"TLS 1.2", "TLS 1.3"});
  const Authority other = MakeAuthority("inspector", now_).value();
  LoopbackServer inspector(
      ShakingHands(MakeIdentity({.hosts = {"127.0.0.1"}}, other, now_)));
  Expect(ProbePort(inspector.port()), Fault::kOtherAuthority,
         {"inspector", "inspects TLS", "tls.authority"});
  LoopbackServer name(
      ShakingHands(MakeIdentity({.hosts = {"a.example"}}, authority_, now_)));
  Expect(ProbePort(name.port()), Fault::kOtherName,
         {"a.example", "127.0.0.1", "--host"});
  LoopbackServer expired(ShakingHands(MakeIdentity(
      {.hosts = {"127.0.0.1"}}, authority_, now_ - absl::Hours(24 * 60))));
  Expect(ProbePort(expired.port()), Fault::kExpired, {"expired"});
  LoopbackServer closing(Closing());
  Expect(ProbePort(closing.port()), Fault::kClosed, {"ended again"});
  LoopbackServer silent(Silent());
  Expect(ProbePort(silent.port()), Fault::kSilent, {"nothing is said"});
}

TEST_F(ConnectionProbeTest, AProxyThatDoesNotServeIsNamedWithItsVariable) {
  Expect(Probe("lungs.example:8443", ProxyAt(ClosedPort())), Fault::kProxy,
         {"https_proxy", "refused", "no_proxy=lungs.example"});
  LoopbackServer forbids(Answering("HTTP/1.1 403 Forbidden\r\n\r\n"));
  Expect(Probe("lungs.example:8443", ProxyAt(forbids.port())), Fault::kProxy,
         {"https_proxy", "403 Forbidden", "CONNECT to lungs.example:8443"});
}

// A fault behind a proxy may be the proxy's.
TEST_F(ConnectionProbeTest, AProxyIsNamedWithWhatIsBehindIt) {
  const Authority other = MakeAuthority("inspector", now_).value();
  const auto inspector =
      ShakingHands(MakeIdentity({.hosts = {"lungs.example"}}, other, now_));
  LoopbackServer proxy([&](int fd) {
    std::string request;
    char byte;
    while (!absl::EndsWith(request, "\r\n\r\n") && recv(fd, &byte, 1, 0) == 1) {
      request.push_back(byte);
    }
    EXPECT_TRUE(absl::StartsWith(request, "CONNECT lungs.example:8443 HTTP/1"));
    const absl::string_view made = "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n";
    send(fd, made.data(), made.size(), MSG_NOSIGNAL);
    inspector(fd);
  });
  Expect(Probe("lungs.example:8443", ProxyAt(proxy.port())),
         Fault::kOtherAuthority, {"inspector", "https_proxy", "no_proxy="});
}

TEST_F(ConnectionProbeTest, AVariableThatIsNotUsedIsNamed) {
  Expect(Probe(absl::StrCat("127.0.0.1:", ClosedPort()),
               Proxy{.variable = "http_proxy", .url = "socks5://p:1"}),
         Fault::kRefused, {"http_proxy", "not used", "http://HOST:PORT"});
}

TEST_F(ConnectionProbeTest, StopsAtOnce) {
  const DroppingPort dropping;
  const ScopedFd stop(eventfd(1, EFD_CLOEXEC));
  const ConnectionProbe probe =
      ProbeConnection({.target = absl::StrCat("127.0.0.1:", dropping.port()),
                       .identity = &site_,
                       .patience = absl::Hours(1),
                       .stop_fd = stop.get()});
  EXPECT_EQ(static_cast<int>(probe.fault), static_cast<int>(Fault::kStopped));
}

}  // namespace
}  // namespace hilum
