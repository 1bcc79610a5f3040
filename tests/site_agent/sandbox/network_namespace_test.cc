// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/network_namespace.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "common/base/file.h"
#include "tests/site_agent/sandbox/attempts.h"

namespace hilum {
namespace {

// The name of the network namespace that this process is in.
std::string Network() {
  return std::filesystem::read_symlink("/proc/self/ns/net").string();
}

bool LoopbackIsUp() {
  const ScopedFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  return ioctl(fd.get(), SIOCGIFFLAGS, &request) == 0 &&
         (request.ifr_flags & IFF_UP) != 0;
}

// 0 where a connection to this address is on its way or made, else its errno.
int ConnectErrno(const char* address, uint16_t port) {
  const ScopedFd fd(
      socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, address, &to.sin_addr);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
    return 0;
  }
  return errno == EINPROGRESS ? 0 : errno;
}

TEST(NetworkNamespaceTest, WhoLeftTheNetworkReachesNothing) {
  const std::string outside = Network();
  const Outcomes outcomes = InUsersChild([&]() -> Outcomes {
    if (!TryLeaveNetwork()) return {{"refused", 1}};
    return {{"same network", Network() == outside},
            {"loopback", LoopbackIsUp()},
            {"connect to itself", ConnectErrno("127.0.0.1", 9)},
            {"connect far", ConnectErrno("192.0.2.1", 443)}};
  });
  EXPECT_EQ(Network(), outside);
  if (outcomes.contains("refused")) {
    GTEST_SKIP() << "this user may have no network namespace";
  }
  EXPECT_EQ(outcomes, (Outcomes{{"same network", 0},
                                {"loopback", 0},
                                {"connect to itself", ENETUNREACH},
                                {"connect far", ENETUNREACH}}));
}

TEST(NetworkNamespaceTest, AnOwnLoopbackIsUpAndLeadsNowhereElse) {
  const std::string outside = Network();
  const Outcomes outcomes = InUsersChild([&]() -> Outcomes {
    const uid_t user = getuid();
    const absl::Status left = LeaveNetworkForOwnLoopback();
    if (!left.ok()) return {{"refused", absl::IsUnavailable(left) ? 1 : 2}};
    return {{"same network", Network() == outside},
            {"loopback", LoopbackIsUp()},
            {"same user", getuid() == user},
            {"connect far", ConnectErrno("192.0.2.1", 443)}};
  });
  EXPECT_EQ(Network(), outside);
  if (outcomes.contains("refused")) {
    EXPECT_EQ(outcomes.at("refused"), 1) << "UNAVAILABLE was promised";
    GTEST_SKIP() << "this user may have no network namespace";
  }
  EXPECT_EQ(outcomes, (Outcomes{{"same network", 0},
                                {"loopback", 1},
                                {"same user", 1},
                                {"connect far", ENETUNREACH}}));
}

}  // namespace
}  // namespace hilum
