// SPDX-License-Identifier: Apache-2.0
// An ordinary user's process, confined like the trainer, tries to get out.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/file.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/sandbox/dumpable.h"
#include "site_agent/sandbox/landlock.h"
#include "site_agent/sandbox/socket_rights.h"
#include "tests/site_agent/sandbox/attempts.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::Each;
using testing::Pair;

// Listens on one socket, on loopback or at a path.
class Listener {
 public:
  explicit Listener(const std::string& path = "")
      : fd_(socket(path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_in inet = {};
    inet.sin_family = AF_INET;
    inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_un local = {};
    local.sun_family = AF_UNIX;
    std::strncpy(local.sun_path, path.c_str(), sizeof(local.sun_path) - 1);
    auto* address = path.empty() ? reinterpret_cast<sockaddr*>(&inet)
                                 : reinterpret_cast<sockaddr*>(&local);
    socklen_t length = path.empty() ? sizeof(inet) : sizeof(local);
    listens_ =
        bind(fd_.get(), address, length) == 0 && listen(fd_.get(), 8) == 0;
    length = sizeof(inet);
    if (path.empty()) getsockname(fd_.get(), address, &length);
    port_ = ntohs(inet.sin_port);
    if (!path.empty()) chmod(path.c_str(), 0777);
  }
  bool listens() const { return listens_; }
  uint16_t port() const { return port_; }

 private:
  ScopedFd fd_;
  bool listens_ = false;
  uint16_t port_ = 0;
};

char secret[16] = "the gateway key";

class BreakOutTest : public testing::Test {
 protected:
  BreakOutTest() {
    std::string name = testing::TempDir() + "/break-out-XXXXXX";
    site_.path = mkdtemp(name.data());
    for (const char* folder : {"/approvals", "/trainer", "/blobs", "/cases"}) {
      fs::create_directories(site_.path + folder);
    }
    for (const char* file : {"/ledger.jsonl", "/site.key", "/cases/1.png"}) {
      EXPECT_TRUE(
          WriteFileAtomically(site_.path + file, "x\n", Durability::kNone, 0600)
              .ok());
    }
    if (geteuid() == 0) {
      for (const auto& entry : fs::recursive_directory_iterator(site_.path)) {
        (void)!chown(entry.path().c_str(), 65534, 65534);
      }
      (void)!chown(site_.path.c_str(), 65534, 65534);
    }
  }

  ~BreakOutTest() override {
    if (target_.pid > 0) {
      kill(target_.pid, SIGKILL);
      waitpid(target_.pid, nullptr, 0);
    }
    if (target_.pid_fd >= 0) close(target_.pid_fd);
    std::error_code ignored;
    fs::remove_all(site_.path, ignored);
  }

  // Starts a process of the user with a secret and a connected socket.
  void StartGateway(bool hidden) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    target_.pid = fork();
    if (target_.pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      BecomeUser();
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      // Yama, where it is on, needs this permission.
      prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
      if (hidden && !HideMemory().ok()) _exit(1);
      if (write(ready[1], "r", 1) != 1) _exit(1);
      for (;;) pause();
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    target_.secret_address = reinterpret_cast<uint64_t>(secret);
    target_.its_socket = STDERR_FILENO;
    target_.pid_fd = static_cast<int>(syscall(SYS_pidfd_open, target_.pid, 0));
    ASSERT_GE(target_.pid_fd, 0);
  }

  // Confines as hilum-trainer serve does; see the trainer's --read, --work.
  absl::Status ConfineTrainer() const {
    return Confine({.read = {site_.path + "/cases", site_.Blobs()},
                    .write = {site_.Work()}});
  }

  SiteFolder site_;
  Target target_;
};

// Drops the attempts that fail only where files are confined.
Outcomes WithoutFiles(Outcomes outcomes) {
  for (const char* name : {"append to ledger", "forge approval", "read key",
                           "write blob", "remove ledger"}) {
    outcomes.erase(name);
  }
  return outcomes;
}

TEST_F(BreakOutTest, WithoutConfinementTheSameAttemptsSucceed) {
  StartGateway(/*hidden=*/false);
  const Listener inet, local(site_.path + "/socket");
  ASSERT_TRUE(inet.listens() && local.listens());
  const Outcomes outcomes = InUsersChild([&] {
    Outcomes all = TryProcess(target_);
    all.merge(TryReach(target_));
    all.merge(TryNetwork(socket(AF_INET, SOCK_STREAM, 0),
                         socket(AF_UNIX, SOCK_STREAM, 0), inet.port(),
                         site_.path + "/socket"));
    all.merge(TryPrograms());
    all.merge(TryFiles(site_));
    // Drops the attempts whose answer depends on this kernel's features.
    all.erase("io_uring");
    all.erase("setsockopt");
    return all;
  });
  ASSERT_EQ(outcomes.size(), 24u);
  EXPECT_THAT(outcomes, Each(Pair(testing::_, 0)));
}

TEST_F(BreakOutTest, AHiddenProcessIsClosedToASiblingOfTheSameUser) {
  StartGateway(/*hidden=*/true);
  EXPECT_EQ(InUsersChild([&] { return TryProcess(target_); }),
            (Outcomes{{"ptrace", EPERM},
                      {"process_vm_readv", EPERM},
                      {"mem", EACCES},
                      {"environ", EACCES},
                      {"pidfd_getfd", EPERM}}));
}

TEST_F(BreakOutTest, TheTrainerDoesNotReachTheGateway) {
  // Holds even against a process whose memory is not hidden.
  StartGateway(/*hidden=*/false);
  Outcomes outcomes = InUsersChild([&]() -> Outcomes {
    if (!ConfineTrainer().ok()) return {};
    Outcomes all = TryProcess(target_);
    all.merge(TryReach(target_));
    return all;
  });
  if (LandlockVersion() == 0) {
    outcomes["mem"] = outcomes["environ"] = EACCES;  // see the test above
  }
  EXPECT_EQ(outcomes, (Outcomes{{"ptrace", EPERM},
                                {"process_vm_readv", EPERM},
                                {"mem", EACCES},
                                {"environ", EACCES},
                                {"pidfd_getfd", EPERM},
                                {"pidfd_open", EPERM},
                                {"kill", EPERM}}));
}

TEST_F(BreakOutTest, TheTrainerHasNoNetwork) {
  const Listener inet, local(site_.path + "/socket");
  ASSERT_TRUE(inet.listens() && local.listens());
  const Outcomes outcomes = InUsersChild([&]() -> Outcomes {
    // Makes the sockets before confinement, unlike Hilum's programs.
    const int inet_socket = socket(AF_INET, SOCK_STREAM, 0);
    const int unix_socket = socket(AF_UNIX, SOCK_STREAM, 0);
    if (!ConfineTrainer().ok()) return {};
    return TryNetwork(inet_socket, unix_socket, inet.port(),
                      site_.path + "/socket");
  });
  EXPECT_EQ(outcomes.size(), 8u);
  EXPECT_THAT(outcomes, Each(Pair(testing::_, EPERM)));
}

TEST_F(BreakOutTest, TheTrainerExecutesNothing) {
  EXPECT_EQ(InUsersChild([&]() -> Outcomes {
              if (!ConfineTrainer().ok()) return {};
              return TryPrograms();
            }),
            (Outcomes{{"execve", EPERM}, {"execveat", EPERM}}));
}

TEST_F(BreakOutTest, TheTrainerMakesNoLinkAndChangesNoMode) {
  EXPECT_EQ(InUsersChild([&]() -> Outcomes {
              if (!ConfineTrainer().ok()) return {};
              return WithoutFiles(TryFiles(site_));
            }),
            (Outcomes{{"empty ledger", EPERM},
                      {"chmod ledger", EPERM},
                      {"link ledger", EPERM},
                      {"symlink", EPERM}}));
}

TEST_F(BreakOutTest, TheTrainerHasItsOwnFilesAlone) {
  if (LandlockVersion() == 0) {
    GTEST_SKIP() << "this kernel has no Landlock: files are not confined";
  }
  Outcomes outcomes = InUsersChild([&]() -> Outcomes {
    if (!ConfineTrainer().ok()) return {};
    Outcomes all = TryFiles(site_);
    for (const char* name :
         {"empty ledger", "chmod ledger", "link ledger", "symlink"}) {
      all.erase(name);
    }
    all["list /"] = open("/", O_RDONLY | O_DIRECTORY) < 0 ? errno : 0;
    // The trainer is allowed these.
    all["read case"] = ReadFile(site_.path + "/cases/1.png").ok() ? 0 : 1;
    all["write work"] =
        WriteFileAtomically(site_.Work() + "/delta", "x").ok() ? 0 : 1;
    return all;
  });
  EXPECT_EQ(outcomes, (Outcomes{{"append to ledger", EACCES},
                                {"forge approval", EACCES},
                                {"read key", EACCES},
                                {"write blob", EACCES},
                                {"remove ledger", EACCES},
                                {"list /", EACCES},
                                {"read case", 0},
                                {"write work", 0}}));
}

// Returns the descriptor that came; -1: none.
int ReceiveDescriptor(int from) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char rights[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = rights;
  message.msg_controllen = sizeof(rights);
  if (recvmsg(from, &message, MSG_DONTWAIT) < 0) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  return fd;
}

TEST_F(BreakOutTest, ASocketThatIsHandedOverDoesNotArrive) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const ScopedFd gateway(ends[0]), trainer(ends[1]);
  if (!RefuseDescriptors(trainer.get())) {
    GTEST_SKIP() << "this kernel has no SO_PASSRIGHTS (6.16 on)";
  }
  const ScopedFd inet(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(SendDescriptor(gateway.get(), inet.get()), EPERM);
  EXPECT_EQ(InUsersChild([&]() -> Outcomes {
              if (!ConfineTrainer().ok()) return {};
              const int on = 1;
              return {
                  {"allow again", setsockopt(trainer.get(), SOL_SOCKET,
                                             kPassRights, &on, sizeof(on)) < 0
                                      ? errno
                                      : 0},
                  {"arrived", ReceiveDescriptor(trainer.get()) >= 0}};
            }),
            (Outcomes{{"allow again", EPERM}, {"arrived", 0}}));
}

// Where the kernel cannot refuse it, it leads nowhere new.
TEST_F(BreakOutTest, ASocketThatArrivesCannotBeConnected) {
  const Listener inet;
  ASSERT_TRUE(inet.listens());
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const ScopedFd gateway(ends[0]), trainer(ends[1]);
  const ScopedFd made(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_EQ(SendDescriptor(gateway.get(), made.get()), 0);
  EXPECT_EQ(InUsersChild([&]() -> Outcomes {
              if (!ConfineTrainer().ok()) return {};
              const int fd = ReceiveDescriptor(trainer.get());
              Outcomes all = TryNetwork(fd, fd, inet.port(), "");
              return {{"arrived", fd >= 0}, {"connect", all["connect inet"]}};
            }),
            (Outcomes{{"arrived", 1}, {"connect", EPERM}}));
}

struct Deed {
  const char* name;
  long (*run)();
};

TEST_F(BreakOutTest, WhatOnlyAnAttackOnTheKernelDoesKills) {
  const Deed deeds[] = {
      {"unshare", [] { return long{unshare(CLONE_NEWUSER)}; }},
      {"mount",
       [] { return long{mount("none", "/tmp", "tmpfs", 0, nullptr)}; }},
      {"bpf", [] { return syscall(SYS_bpf, 0, nullptr, 0); }},
      {"keyctl", [] { return syscall(SYS_keyctl, 0, 0); }},
      {"userfaultfd", [] { return syscall(SYS_userfaultfd, 0); }},
      {"setns", [] { return syscall(SYS_setns, 0, 0); }}};
  for (const Deed& deed : deeds) {
    EXPECT_EQ(SignalOfUsersChild([&] { (void)deed.run(); }), 0) << deed.name;
    EXPECT_EQ(SignalOfUsersChild([&] {
                if (ConfineTrainer().ok()) (void)deed.run();
              }),
              SIGSYS)
        << deed.name;
  }
}

TEST_F(BreakOutTest, ANamespaceByCloneIsRefused) {
  EXPECT_EQ(InUsersChild([&]() -> Outcomes {
              if (!ConfineTrainer().ok()) return {};
              Outcomes all;
              const long made = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0);
              if (made == 0) _exit(0);
              all["clone"] = made < 0 ? errno : 0;
              all["clone3"] = syscall(SYS_clone3, nullptr, 0) < 0 ? errno : 0;
              return all;
            }),
            (Outcomes{{"clone", EPERM}, {"clone3", ENOSYS}}));
}

// The C library's fork stays allowed: a JPEG 2000 image is decoded in a child.
TEST_F(BreakOutTest, TheTrainerMakesNoProcessThatSharesItsMemory) {
  EXPECT_EQ(
      InUsersChild([&]() -> Outcomes {
        if (!ConfineTrainer().ok()) return {};
        Outcomes all = TryProcesses();
        all.erase("fork call");  // not every architecture has it
        return all;
      }),
      (Outcomes{{"clone with memory", EPERM}, {"fork", 0}, {"vfork", EPERM}}));
  const Outcomes open = InUsersChild([] { return TryProcesses(); });
  EXPECT_GE(open.size(), 3u);
  EXPECT_THAT(open, Each(Pair(testing::_, 0)));
}

TEST_F(BreakOutTest, TheGatewayExecutesNothingAndReadsNoCase) {
  Outcomes outcomes = InUsersChild([&]() -> Outcomes {
    fs::rename(site_.path + "/cases", site_.path + "-cases");
    if (!ConfineGateway(site_.path, {}).ok()) return {};
    Outcomes all = TryPrograms();
    all["read case"] =
        open((site_.path + "-cases/1.png").c_str(), O_RDONLY) < 0 ? errno : 0;
    // The gateway is allowed these.
    all["ledger"] = open(site_.Ledger().c_str(), O_WRONLY) < 0 ? errno : 0;
    all["socket"] = socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
    return all;
  });
  std::error_code ignored;
  fs::remove_all(site_.path + "-cases", ignored);
  if (LandlockVersion() == 0) outcomes["read case"] = EACCES;
  EXPECT_EQ(outcomes, (Outcomes{{"execve", EPERM},
                                {"execveat", EPERM},
                                {"read case", EACCES},
                                {"ledger", 0},
                                {"socket", 0}}));
}

}  // namespace
}  // namespace hilum
