// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/waiting_connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hilum {
namespace {

constexpr uint32_t kHere = 1;
constexpr uint32_t kThere = 2;

// Returns a request's header that promises `bytes` more, and that many bytes.
std::string Request(uint8_t bytes) {
  return std::string("\1\0\0\0\0", 5) + static_cast<char>(bytes) +
         std::string(bytes, 'x');
}

bool Any(uint32_t) { return true; }

class WaitingConnectionsTest : public testing::Test {
 protected:
  WaitingConnectionsTest()
      : server_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    name_.sin_family = AF_INET;
    name_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name_;
    EXPECT_EQ(bind(server_.get(), Name(), size), 0);
    EXPECT_EQ(listen(server_.get(), 16), 0);
    EXPECT_EQ(getsockname(server_.get(), Name(), &size), 0);
  }

  // Connects a peer, whose connection then waits.
  ScopedFd Connect(uint32_t address = kHere) {
    ScopedFd peer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(peer.get(), Name(), sizeof name_), 0);
    const int on = 1;  // sends each byte at once
    setsockopt(peer.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ScopedFd accepted(accept4(server_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_GE(accepted.get(), 0);
    waiting_.Add({std::move(accepted), address}, now_);
    return peer;
  }

  static void Send(const ScopedFd& peer, const std::string& bytes) {
    ASSERT_EQ(send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  static bool IsClosed(const ScopedFd& peer) {
    char byte;
    const ssize_t got = recv(peer.get(), &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
  }

  bool Wakes(int milliseconds) const {
    std::vector<pollfd> polls;
    waiting_.AppendPolls(polls);
    return poll(polls.data(), polls.size(), milliseconds) > 0;
  }

  sockaddr* Name() { return reinterpret_cast<sockaddr*>(&name_); }

  sockaddr_in name_ = {};
  ScopedFd server_;
  absl::Time now_ = absl::UnixEpoch();
  WaitingConnections waiting_{FirstMessage::kAssociationRequest};
};

TEST_F(WaitingConnectionsTest, OnlyAWholeRequestIsTaken) {
  const ScopedFd silent = Connect();
  const ScopedFd slow = Connect();
  const ScopedFd honest = Connect(kThere);
  const std::string request = Request(40);
  Send(slow, request.substr(0, 20));
  Send(honest, request);
  waiting_.Look(now_);
  const auto taken = waiting_.Take(Any);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->address, kThere);
  EXPECT_FALSE(waiting_.Take(Any).has_value());
  // The request has not been read.
  std::string seen(100, '\0');
  EXPECT_EQ(recv(taken->fd.get(), seen.data(), seen.size(), 0),
            static_cast<ssize_t>(request.size()));
  Send(slow, request.substr(20));
  waiting_.Look(now_);
  EXPECT_TRUE(waiting_.Take(Any).has_value());
}

TEST_F(WaitingConnectionsTest, ARequestByteByByteWakesNobody) {
  const ScopedFd slow = Connect();
  const std::string request = Request(40);
  for (size_t i = 0; i + 1 < request.size(); ++i) {
    Send(slow, request.substr(i, 1));
    waiting_.Look(now_);
    ASSERT_FALSE(Wakes(0)) << i;
  }
  Send(slow, request.substr(request.size() - 1));
  EXPECT_TRUE(Wakes(10000));
}

TEST_F(WaitingConnectionsTest, TheOldestSilentOneOfAnAddressMakesRoom) {
  std::vector<ScopedFd> peers;
  peers.push_back(Connect(kThere));
  for (size_t i = 0; i < kMaxWaitingPerAddress; ++i) {
    peers.push_back(Connect());
  }
  EXPECT_EQ(waiting_.size(), kMaxWaitingPerAddress + 1);
  peers.push_back(Connect());
  EXPECT_EQ(waiting_.size(), kMaxWaitingPerAddress + 1);
  EXPECT_FALSE(IsClosed(peers[0]));  // of another address
  EXPECT_TRUE(IsClosed(peers[1]));
  EXPECT_FALSE(IsClosed(peers[2]));
  Send(peers.back(), Request(9));
  waiting_.Look(now_);
  EXPECT_TRUE(waiting_.Take(Any).has_value());
}

TEST_F(WaitingConnectionsTest, ManyAddressesTogetherAreBoundedToo) {
  std::vector<ScopedFd> peers;
  for (size_t i = 0; i <= kMaxWaiting; ++i) {
    peers.push_back(Connect(static_cast<uint32_t>(i)));
  }
  EXPECT_EQ(waiting_.size(), kMaxWaiting);
  EXPECT_TRUE(IsClosed(peers[0]));
  EXPECT_FALSE(IsClosed(peers.back()));
}

TEST_F(WaitingConnectionsTest, SilenceAndWhatIsNoRequestAreEnded) {
  const ScopedFd silent = Connect();
  const ScopedFd web = Connect();
  const ScopedFd huge = Connect();
  ScopedFd gone = Connect();
  Send(web, "GET / HTTP/1.1\r\n");
  Send(huge, std::string("\1\0\x7f\0\0\0", 6));
  gone.Close();
  waiting_.Look(now_ + kFirstMessageTime);
  EXPECT_TRUE(IsClosed(web));
  EXPECT_TRUE(IsClosed(huge));
  EXPECT_EQ(waiting_.size(), 1u);
  EXPECT_FALSE(IsClosed(silent));
  waiting_.Look(now_ + kFirstMessageTime + absl::Seconds(1));
  EXPECT_TRUE(IsClosed(silent));
}

TEST_F(WaitingConnectionsTest, AnAddressThatIsServedEnoughWaitsOn) {
  const ScopedFd first = Connect(kHere);
  const ScopedFd second = Connect(kThere);
  Send(first, Request(9));
  Send(second, Request(9));
  waiting_.Look(now_);
  const auto not_here = [](uint32_t address) { return address != kHere; };
  EXPECT_EQ(waiting_.Take(not_here)->address, kThere);
  EXPECT_FALSE(waiting_.Take(not_here).has_value());
  // The peer has sent its message, so time does not end it.
  waiting_.Look(now_ + absl::Hours(1));
  EXPECT_TRUE(waiting_.Take(Any).has_value());
}

TEST_F(WaitingConnectionsTest, OverTlsAHandshakeRecordIsWaitedFor) {
  waiting_ = WaitingConnections(FirstMessage::kTlsRecord);
  const ScopedFd honest = Connect();
  const ScopedFd plain = Connect();
  Send(plain, Request(9));
  Send(honest, std::string("\x16\3\1\0\4abc", 8));
  waiting_.Look(now_);
  EXPECT_TRUE(IsClosed(plain));
  EXPECT_FALSE(waiting_.Take(Any).has_value());
  Send(honest, "d");
  waiting_.Look(now_);
  EXPECT_TRUE(waiting_.Take(Any).has_value());
}

}  // namespace
}  // namespace hilum
