// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/tls/tls_probe.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <string>

#include "absl/strings/match.h"
#include "common/base/clock.h"
#include "tests/common/crypto/tls/fake_servers.h"

namespace hilum {
namespace {

using Outcome = TlsPeer::Outcome;

class TlsProbeTest : public testing::Test {
 protected:
  TlsProbeTest() { std::signal(SIGPIPE, SIG_IGN); }

  Identity Coordinator(absl::Duration age = absl::ZeroDuration()) const {
    return MakeIdentity({.hosts = {"127.0.0.1", "lungs.example"}}, authority_,
                        now_ - age);
  }
  TlsPeer Probe(const LoopbackServer& server,
                const std::string& host = "127.0.0.1") const {
    const ScopedFd fd = ConnectToLoopback(server.port());
    EXPECT_GE(fd.get(), 0);
    return ProbeTls(fd.get(), {.identity = &site_,
                               .host = host,
                               .patience = absl::Milliseconds(500)});
  }

  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("lungs", now_).value();
  const Identity site_ = MakeIdentity({.site = "st-mary"}, authority_, now_);
};

TEST_F(TlsProbeTest, TheRightPeerIsRightByAddressAndByName) {
  std::atomic<bool> shown{false};
  LoopbackServer server(ShakingHands(Coordinator(), false, &shown));
  const TlsPeer peer = Probe(server);
  EXPECT_EQ(peer.outcome, Outcome::kRight) << peer.detail;
  EXPECT_EQ(peer.version, "TLSv1.3");
  EXPECT_TRUE(shown);
  EXPECT_EQ(Probe(server, "lungs.example").outcome, Outcome::kRight);
}

TEST_F(TlsProbeTest, AnotherHostIsAnotherName) {
  LoopbackServer server(ShakingHands(Coordinator()));
  const TlsPeer peer = Probe(server, "other.example");
  EXPECT_EQ(peer.outcome, Outcome::kOtherName);
  ASSERT_TRUE(peer.certificate.has_value());
  EXPECT_EQ(peer.certificate->hosts.size(), 2u);
}

// The peer is an inspecting proxy; it does not see this side's certificate.
TEST_F(TlsProbeTest, AnotherAuthorityIsNamedAndGetsNoCertificate) {
  const Authority other = MakeAuthority("inspector", now_).value();
  std::atomic<bool> shown{false};
  LoopbackServer server(ShakingHands(
      MakeIdentity({.hosts = {"127.0.0.1"}}, other, now_), false, &shown));
  const TlsPeer peer = Probe(server);
  EXPECT_EQ(peer.outcome, Outcome::kOtherAuthority);
  ASSERT_TRUE(peer.certificate.has_value());
  EXPECT_TRUE(absl::StrContains(peer.certificate->issuer, "inspector"));
  EXPECT_FALSE(shown);
}

TEST_F(TlsProbeTest, DatesAreToldApart) {
  LoopbackServer old(ShakingHands(Coordinator(absl::Hours(24 * 60))));
  EXPECT_EQ(Probe(old).outcome, Outcome::kExpired);
  LoopbackServer early(ShakingHands(Coordinator(-absl::Hours(24 * 60))));
  EXPECT_EQ(Probe(early).outcome, Outcome::kNotYetValid);
}

TEST_F(TlsProbeTest, Tls12IsOldEvenWithTheRightCertificate) {
  LoopbackServer server(ShakingHands(Coordinator(), /*only_tls12=*/true));
  const TlsPeer peer = Probe(server);
  EXPECT_EQ(peer.outcome, Outcome::kOldTls) << peer.detail;
  EXPECT_EQ(peer.version, "TLSv1.2");
}

TEST_F(TlsProbeTest, WhatIsNoTlsShowsItsFirstLine) {
  LoopbackServer server(
      Answering("HTTP/1.1 400 Bad \x1b Request\r\nServer: x\r\n\r\n"));
  const TlsPeer peer = Probe(server);
  EXPECT_EQ(peer.outcome, Outcome::kNotTls);
  EXPECT_EQ(peer.answer, "HTTP/1.1 400 Bad \\x1B Request");
}

// Mail and SSH servers do so; the greeting is there before the handshake
// begins.
TEST_F(TlsProbeTest, AServerThatSpeaksFirstShowsItsGreeting) {
  LoopbackServer server([](int fd) {
    send(fd, "220 mail\r\n", 10, MSG_NOSIGNAL);
    Silent()(fd);
  });
  const ScopedFd fd = ConnectToLoopback(server.port());
  pollfd greeting = {fd.get(), POLLIN, 0};
  ASSERT_EQ(poll(&greeting, 1, 10000), 1);
  const TlsPeer peer =
      ProbeTls(fd.get(), {.identity = &site_,
                          .host = "127.0.0.1",
                          .patience = absl::Milliseconds(500)});
  EXPECT_EQ(peer.outcome, Outcome::kNotTls);
  EXPECT_EQ(peer.answer, "220 mail");
}

// Python's http.server sends nothing before the end of a line.
TEST_F(TlsProbeTest, AServerOfLinesIsFoundOutToo) {
  LoopbackServer server([](int fd) {
    std::string seen;
    char byte;
    while (!absl::EndsWith(seen, "\r\n\r\n") && recv(fd, &byte, 1, 0) == 1) {
      seen.push_back(byte);
    }
    send(fd, "<html>400", 9, MSG_NOSIGNAL);
    Silent()(fd);
  });
  EXPECT_EQ(Probe(server).outcome, Outcome::kNotTls);
}

TEST_F(TlsProbeTest, SilenceAndAnEndAreToldApart) {
  LoopbackServer silent(Silent());
  EXPECT_EQ(Probe(silent).outcome, Outcome::kSilent);
  LoopbackServer closing(Closing());
  EXPECT_EQ(Probe(closing).outcome, Outcome::kClosed);
}

TEST_F(TlsProbeTest, StopsAtOnce) {
  LoopbackServer silent(Silent());
  const ScopedFd fd = ConnectToLoopback(silent.port());
  const ScopedFd stop(eventfd(1, EFD_CLOEXEC));
  EXPECT_EQ(ProbeTls(fd.get(), {.identity = &site_,
                                .host = "127.0.0.1",
                                .patience = absl::Hours(1),
                                .stop_fd = stop.get()})
                .outcome,
            Outcome::kStopped);
}

}  // namespace
}  // namespace hilum
