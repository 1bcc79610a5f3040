// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/seccomp.h"

#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/base/file.h"
#include "site_agent/sandbox/socket_rights.h"
#include "tests/site_agent/sandbox/attempts.h"

namespace hilum {
namespace {

int SocketErrno(int family) {
  const ScopedFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return fd.get() < 0 ? errno : 0;
}

// The kernel takes an int, the filter sees 64 bits.
TEST(SeccompTest, AnUpperHalfOfAnArgumentHidesNothing) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const ScopedFd gateway(ends[0]), trainer(ends[1]);
  const bool can_refuse = RefuseDescriptors(trainer.get());
  EXPECT_EQ(InUsersChild([&] { return TryUpperHalves(trainer.get()); }),
            (Outcomes{{"TIOCLINUX", ENOTTY},
                      {"TIOCSTI", ENOTTY},
                      {"setsockopt", can_refuse ? 0 : ENOPROTOOPT}}));
  for (bool devices : {false, true}) {
    const Outcomes outcomes = InUsersChild([&]() -> Outcomes {
      if (!AllowSystemCalls({.devices = devices}).ok()) return {};
      Outcomes all = TryUpperHalves(trainer.get());
      // And these it has.
      int count = 0;
      const int one = 1;
      all["FIONREAD"] = ioctl(trainer.get(), FIONREAD, &count) < 0 ? errno : 0;
      all["SO_KEEPALIVE"] = setsockopt(trainer.get(), SOL_SOCKET, SO_KEEPALIVE,
                                       &one, sizeof(one)) < 0
                                ? errno
                                : 0;
      return all;
    });
    EXPECT_EQ(outcomes, (Outcomes{{"FIONREAD", 0},
                                  {"SO_KEEPALIVE", 0},
                                  {"TIOCLINUX", EPERM},
                                  {"TIOCSTI", EPERM},
                                  {"setsockopt", EPERM}}))
        << devices;
  }
}

TEST(SeccompTest, TheFilterIsOfAllThreadsAndSaysSo) {
  EXPECT_EQ(InUsersChild([]() -> Outcomes {
              int older = -1, younger = -1;
              absl::Notification filtered;
              std::thread thread([&] {
                filtered.WaitForNotification();
                older = SocketErrno(AF_UNIX);
              });
              const bool ok = AllowSystemCalls({}).ok();
              filtered.Notify();
              thread.join();
              std::thread([&] { younger = SocketErrno(AF_UNIX); }).join();
              return {{"allowed", ok},
                      {"filtered", SystemCallsAreFiltered()},
                      {"older", older},
                      {"younger", younger}};
            }),
            (Outcomes{{"allowed", 1},
                      {"filtered", 1},
                      {"older", EPERM},
                      {"younger", EPERM}}));
}

TEST(SeccompTest, OnlyTheNamedFamiliesMakeSockets) {
  EXPECT_EQ(InUsersChild([]() -> Outcomes {
              if (!AllowSystemCalls({.families = {AF_INET}}).ok()) return {};
              const ScopedFd fd(socket(AF_INET, SOCK_STREAM, 0));
              return {{"inet", fd.get() >= 0 ? 0 : errno},
                      {"unix", SocketErrno(AF_UNIX)},
                      {"netlink", SocketErrno(AF_NETLINK)},
                      {"listen", listen(fd.get(), 1) == 0 ? 0 : errno}};
            }),
            (Outcomes{{"inet", 0},
                      {"unix", EPERM},
                      {"netlink", EPERM},
                      {"listen", EPERM}}));
  EXPECT_EQ(
      InUsersChild([]() -> Outcomes {
        if (!AllowSystemCalls({.families = {AF_INET}, .listens = true}).ok()) {
          return {};
        }
        const ScopedFd fd(socket(AF_INET, SOCK_STREAM, 0));
        return {{"listen", listen(fd.get(), 1) == 0 ? 0 : errno}};
      }),
      (Outcomes{{"listen", 0}}));
}

TEST(SeccompTest, ProgramsStartOnlyWhereTheRulesSaySo) {
  EXPECT_EQ(InUsersChild([]() -> Outcomes {
              if (!AllowSystemCalls({}).ok()) return {};
              return TryPrograms();
            }),
            (Outcomes{{"execve", EPERM}, {"execveat", EPERM}}));
  // Not at a descriptor, which Landlock would not see.
  const Outcomes allowed = InUsersChild([]() -> Outcomes {
    if (!AllowSystemCalls({.executes = true}).ok()) return {};
    return TryPrograms();
  });
  EXPECT_EQ(allowed.at("execveat"), EPERM);
  EXPECT_NE(allowed.at("execve"), EPERM);
}

TEST(SeccompTest, AFilterIsForGood) {
  EXPECT_EQ(InUsersChild([]() -> Outcomes {
              if (!AllowSystemCalls({}).ok()) return {};
              const bool again = AllowSystemCalls({.families = {AF_INET}}).ok();
              return {{"again", again}, {"inet", SocketErrno(AF_INET)}};
            }),
            (Outcomes{{"again", 0}, {"inet", EPERM}}));
}

}  // namespace
}  // namespace hilum
