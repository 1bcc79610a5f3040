// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/listener.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "tests/common/crypto/tls/fake_servers.h"
#include "tests/site_agent/ingest/network/dicom_fakes.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

TEST(ListenerTest, AnAddressThatIsNoneAndAPortThatIsTakenAreNamed) {
  const absl::Status address = Listener::Open("localhost", 0).status();
  EXPECT_TRUE(absl::IsInvalidArgument(address)) << address;
  auto first = Listener::Open("127.0.0.1", 0);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_GT(first->port(), 0);
  const absl::Status taken =
      Listener::Open("127.0.0.1", first->port()).status();
  EXPECT_TRUE(absl::IsUnavailable(taken)) << taken;
  EXPECT_TRUE(absl::StrContains(taken.message(), "--port")) << taken;
}

// A listener in a process of its own, with a real intake.
class ServingTest : public testing::Test {
 protected:
  ServingTest()
      : folder_(absl::StrCat(
            testing::TempDir(), "/listener_", getpid(), "_",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ServingTest() override {
    if (pid_ > 0) End();
    fs::remove_all(folder_);
  }

  void Start(const std::string& allow) {
    auto listener = Listener::Open("127.0.0.1", 0);
    ASSERT_TRUE(listener.ok()) << listener.status();
    port_ = listener->port();
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) Serve(*listener, allow, ends[1]);
    close(ends[1]);
    char byte;
    EXPECT_EQ(read(ends[0], &byte, 1), 1);  // ready
    close(ends[0]);
  }
  // Ends the process by SIGTERM; returns its exit status.
  int End() {
    kill(pid_, SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string Said() const { return ReadFile(folder_ + "/log").value_or(""); }

  const std::string folder_;
  int port_ = 0;
  pid_t pid_ = -1;

 private:
  [[noreturn]] void Serve(Listener& listener, const std::string& allow,
                          int ready) {
    const ReceivingOptions receiving{.store = folder_ + "/store",
                                     .actor = "listen"};
    auto intake = IntakeProcess::Start(receiving);
    if (!intake.ok()) _exit(2);
    ScpOptions scp{.ae_title = "HILUM", .incoming = IncomingFolder(receiving)};
    if (!allow.empty()) scp.allowed = {*ParseAllowedPeer(allow)};
    std::ofstream log(folder_ + "/log");
    const absl::Status served = listener.Serve(*intake, scp, log, [ready] {
      if (write(ready, "x", 1) != 1) _exit(3);
    });
    _exit(served.ok() && std::move(*intake).Finish().ok() ? 0 : 1);
  }
};

TEST_F(ServingTest, ServesUntilItIsToldToEnd) {
  Start("");
  {
    Scu scu(port_, {}, {kVerification});
    ASSERT_EQ(scu.refusal(), "");
    EXPECT_TRUE(scu.Echo());
    scu.Release();
  }
  EXPECT_EQ(End(), 0);
  EXPECT_TRUE(absl::StrContains(Said(), "MODALITY@127.0.0.1: ended")) << Said();
}

// The address alone decides, so the connection gets no process.
TEST_F(ServingTest, AnAddressThatNoAllowNamesIsClosedAtOnce) {
  Start("PACS@192.0.2.7");
  const ScopedFd fd = ConnectToLoopback(port_);
  char byte;
  pollfd wait = {fd.get(), POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, 20000), 1);
  EXPECT_EQ(recv(fd.get(), &byte, 1, 0), 0);
  EXPECT_EQ(End(), 0);
  EXPECT_TRUE(absl::StrContains(Said(), "127.0.0.1: closed: no --allow"))
      << Said();
}

TEST_F(ServingTest, ACrashInOneAssociationIsNotTheOthers) {
  Start("");
  Scu first(port_, {}, {kVerification});
  ASSERT_EQ(first.refusal(), "");
  { const ScopedFd noise = ConnectToLoopback(port_); }
  Scu second(port_, {}, {kVerification});
  ASSERT_EQ(second.refusal(), "");
  EXPECT_TRUE(first.Echo());
  EXPECT_TRUE(second.Echo());
  first.Release();
  second.Release();
  EXPECT_EQ(End(), 0);
}

}  // namespace
}  // namespace hilum
