// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/connection_guard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr absl::Duration kNever = absl::Hours(1);
constexpr absl::Duration kPatience = absl::Seconds(30);

// Returns a record with a ClientHello's head, 100 bytes of it.
std::string FakeHello() {
  return std::string("\x16\x03\x01\x00\x64\x01", 6) + std::string(99, 'x');
}

class ConnectionGuardTest : public testing::Test {
 protected:
  ~ConnectionGuardTest() override {
    if (guard_ != nullptr) guard_->Stop();
    guard_.reset();
    for (int fd : given_) close(fd);
  }

  void Make(ConnectionGuard::Options options) {
    options.log = [this](absl::string_view line) {
      absl::MutexLock lock(&mutex_);
      log_.emplace_back(line);
    };
    auto guard = ConnectionGuard::Create(
        std::move(options),
        [this]() -> absl::StatusOr<ScopedFd> {
          absl::StatusOr<ScopedFd> fd = ListenOnTcp(where_);
          if (fd.ok()) {  // keeps the socket for a test to break
            listener_ = ScopedFd(fcntl(fd->get(), F_DUPFD_CLOEXEC, 0));
          }
          return fd;
        },
        [this](int fd) {
          absl::MutexLock lock(&mutex_);
          given_.push_back(fd);
        },
        RealClock());
    ASSERT_TRUE(guard.ok()) << guard.status();
    guard_ = *std::move(guard);
  }

  ScopedFd Connect() {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<in_port_t>(where_.port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience = {.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)),
              0);
    return fd;
  }
  static void Send(const ScopedFd& to, absl::string_view bytes) {
    EXPECT_EQ(send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Waits for the other side's end of the connection.
  static bool IsCut(const ScopedFd& fd) {
    char byte;
    const ssize_t got = recv(fd.get(), &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
  // Returns the next descriptor that the guard hands over; -1: none.
  int AwaitGiven() {
    absl::MutexLock lock(&mutex_);
    const auto any = [&] { return !given_.empty(); };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&any), kPatience)) return -1;
    const int fd = given_.front();
    given_.pop_front();
    return fd;
  }
  bool Logged(absl::string_view part) {
    absl::MutexLock lock(&mutex_);
    const auto any = [&] {
      for (const std::string& line : log_) {
        if (absl::StrContains(line, part)) return true;
      }
      return false;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&any), kPatience);
  }

  HostAndPort where_{"127.0.0.1", 0};
  ScopedFd listener_;
  absl::Mutex mutex_;
  std::deque<int> given_;
  std::vector<std::string> log_;
  std::unique_ptr<ConnectionGuard> guard_;
};

TEST_F(ConnectionGuardTest, ASilentConnectionIsCutAndNamedInTheLog) {
  Make({.limits = {.hello = absl::Milliseconds(50)}});
  guard_->Start();
  ScopedFd silent = Connect();
  EXPECT_TRUE(IsCut(silent));
  EXPECT_TRUE(
      Logged("cut 1 connection of 127.0.0.1: no TLS ClientHello within 50ms"));
}

TEST_F(ConnectionGuardTest, ADribbledHelloIsHandedOverWholeAndUntouched) {
  Make({.limits = {.hello = kNever, .first_call = kNever}});
  guard_->Start();
  ScopedFd client = Connect();
  const std::string hello = FakeHello();
  for (char byte : hello) Send(client, std::string(1, byte));
  ScopedFd server(AwaitGiven());
  ASSERT_GE(server.get(), 0);
  std::string read(1000, '\0');
  const ssize_t got = recv(server.get(), read.data(), read.size(), 0);
  EXPECT_EQ(read.substr(0, static_cast<size_t>(got)), hello);
}

TEST_F(ConnectionGuardTest, AnotherProtocolIsCutAtOnce) {
  Make({.limits = {.hello = kNever}});
  guard_->Start();
  ScopedFd client = Connect();
  Send(client, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(IsCut(client));
  EXPECT_TRUE(Logged("is no TLS ClientHello"));
}

TEST_F(ConnectionGuardTest, AHandshakeThatNeverEndsIsCutUnderTheServer) {
  Make({.limits = {.first_call = absl::Milliseconds(50)}});
  guard_->Start();
  ScopedFd client = Connect();
  Send(client, FakeHello());
  ScopedFd server(AwaitGiven());
  EXPECT_TRUE(IsCut(client));
  EXPECT_TRUE(Logged("no call with a site's certificate within 50ms"));
}

TEST_F(ConnectionGuardTest, ANamedConnectionIsNotCut) {
  Make({.limits = {.per_address = 1,
                   .per_site = 1,
                   .hello = kNever,
                   .first_call = kNever}});
  guard_->Start();
  ScopedFd client = Connect();
  Send(client, FakeHello());
  ScopedFd server(AwaitGiven());
  sockaddr_storage from = {};
  socklen_t size = sizeof(from);
  getpeername(server.get(), reinterpret_cast<sockaddr*>(&from), &size);
  guard_->Name(DescribePeer(from).peer, SiteId("a"));
  ScopedFd first = Connect(), second = Connect();
  EXPECT_TRUE(IsCut(first));  // made room for the second
  Send(server, "!");
  char byte = 0;
  EXPECT_EQ(recv(client.get(), &byte, 1, 0), 1);
}

// The guard's own descriptor does not keep a connection that the server has
// closed. A connection that the server has not yet closed still counts.
TEST_F(ConnectionGuardTest, AConnectionCountsUntilTheServerHasClosedIt) {
  Make({.limits = {.in_all = 3}, .descriptors = 5});
  guard_->Start();
  for (int i = 0; i < 50; ++i) {
    ScopedFd client = Connect();
    Send(client, FakeHello());
    ScopedFd server(AwaitGiven());
    ASSERT_GE(server.get(), 0) << i;
    if (i % 2 == 0) client.Close();
    EXPECT_LE(guard_->size(), 2u);
    shutdown(server.get(), SHUT_RDWR);  // as gRPC does
    server.Close();
    if (i % 2 == 1) {
      EXPECT_TRUE(IsCut(client)) << i;
    }
  }
}

TEST_F(ConnectionGuardTest, WithoutDescriptorsItDropsAndThenGoesOn) {
  Make({.limits = {.hello = kNever, .first_call = kNever}});
  std::vector<ScopedFd> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(Connect());
  rlimit before = {};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(waiting.back().get()) + 4;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  guard_->Start();
  EXPECT_TRUE(IsCut(waiting.back()));
  EXPECT_TRUE(Logged("no file descriptor left"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ScopedFd late = Connect();
  Send(late, FakeHello());
  EXPECT_GE(AwaitGiven(), 0);
}

TEST_F(ConnectionGuardTest, AListenerThatFailsIsMadeAnew) {
  Make({.limits = {.hello = kNever, .first_call = kNever}});
  guard_->Start();
  const int port = where_.port;
  ASSERT_EQ(shutdown(listener_.get(), SHUT_RDWR), 0);
  listener_.Close();
  EXPECT_TRUE(Logged("accepting connections has stopped"));
  guard_->Stop();  // so that the new socket is there
  EXPECT_EQ(where_.port, port);
  ScopedFd client = Connect();
}

TEST(ListenerTest, PeersAreNamedAsGrpcNamesThem) {
  EXPECT_EQ(UnescapePeer("ipv4:192.0.2.1:4711"), "ipv4:192.0.2.1:4711");
  EXPECT_EQ(UnescapePeer("ipv6:%5B2001:db8::1%5D:4711"),
            "ipv6:[2001:db8::1]:4711");
  EXPECT_EQ(UnescapePeer("ipv6:%5Bfe80::1%25eth0%5D:4711"),
            "ipv6:[fe80::1]:4711");
  sockaddr_storage from = {};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(from);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(4711);
  ASSERT_EQ(inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr), 1);
  EXPECT_EQ(DescribePeer(from).peer, "ipv4:192.0.2.1:4711");
  EXPECT_EQ(DescribePeer(from).address, "192.0.2.1");
  ASSERT_EQ(inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
  EXPECT_EQ(DescribePeer(from).peer, "ipv6:[2001:db8::1]:4711");
  EXPECT_EQ(DescribePeer(from).address, "2001:db8::/64");
  for (const char* same : {"2001:db8:1:2::1", "2001:db8:1:2:a:b:c:d"}) {
    ASSERT_EQ(inet_pton(AF_INET6, same, &v6.sin6_addr), 1);
    EXPECT_EQ(DescribePeer(from).address, "2001:db8:1:2::/64");
  }
}

TEST(ListenerTest, WhatIsNoHostAndPortIsRefused) {
  for (const char* wrong :
       {"", ":1", "host", "host:", "host:65536", "host:x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseListen(wrong).status())) << wrong;
  }
  EXPECT_EQ(ParseListen("[::1]:8443")->host, "[::1]");
}

TEST(ListenerTest, ATakenPortIsUnavailable) {
  HostAndPort where{"127.0.0.1", 0};
  auto first = ListenOnTcp(where);
  ASSERT_TRUE(first.ok());
  EXPECT_GT(where.port, 0);
  EXPECT_TRUE(absl::IsUnavailable(ListenOnTcp(where).status()));
}

}  // namespace
}  // namespace hilum
