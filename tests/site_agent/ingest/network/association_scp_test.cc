// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/association_scp.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "tests/site_agent/ingest/network/dicom_fakes.h"

namespace hilum {
namespace {

constexpr char kCt[] = "1.2.840.10008.5.1.4.1.1.2";

TEST(AssociationScpTest, WhoMaySendIsATitleAndPerhapsAHost) {
  EXPECT_TRUE(ParseAllowedPeer("PACS")->addresses.empty());
  auto peer = ParseAllowedPeer("PACS@127.0.0.1");
  ASSERT_TRUE(peer.ok());
  ASSERT_EQ(peer->addresses.size(), 1u);
  EXPECT_EQ(peer->addresses[0], htonl(INADDR_LOOPBACK));
  for (const char* wrong :
       {"", "@127.0.0.1", "A\\B", " PACS", "PACS@", "SEVENTEEN-LETTERS"}) {
    EXPECT_FALSE(ParseAllowedPeer(wrong).ok()) << wrong;
  }
}

TEST(AssociationScpTest, WithoutAllowOnlyThisMachineConnects) {
  const uint32_t here = inet_addr("127.0.0.9"), there = inet_addr("10.1.2.3");
  ScpOptions options;
  EXPECT_TRUE(MayConnect(options, here));
  EXPECT_FALSE(MayConnect(options, there));
  options.allowed = {*ParseAllowedPeer("PACS@10.1.2.3")};
  EXPECT_FALSE(MayConnect(options, here));
  EXPECT_TRUE(MayConnect(options, there));
  options.allowed.push_back(*ParseAllowedPeer("ANYWHERE"));
  EXPECT_TRUE(MayConnect(options, here));
  EXPECT_EQ(PeerText(there), "10.1.2.3");
}

TEST(AssociationScpTest, LoopbackIsAllOf127) {
  EXPECT_TRUE(IsLoopbackAddress("127.0.0.1"));
  EXPECT_TRUE(IsLoopbackAddress("127.8.0.1"));
  for (const char* other : {"0.0.0.0", "128.0.0.1", "::1", "localhost", ""}) {
    EXPECT_FALSE(IsLoopbackAddress(other)) << other;
  }
}

// One association, served in a process of its own.
class ServedTest : public testing::Test {
 protected:
  void Start(const std::string& allow, const std::string& answer) {
    options_.ae_title = "HILUM";
    if (!allow.empty()) options_.allowed = {*ParseAllowedPeer(allow)};
    options_.incoming = absl::StrCat(testing::TempDir(), "/scp_", getpid());
    std::filesystem::create_directories(options_.incoming);
    log_ = options_.incoming + ".log";
    listening_ = ListenOnLoopback(port_);
    pid_ = fork();
    if (pid_ != 0) return;
    FakeIntake intake(answer);
    std::ofstream log(log_);
    const volatile std::sig_atomic_t stop = 0;
    ServeAssociation(
        ScopedFd(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)),
        options_, intake.channel(), stop, log);
    _exit(0);
  }
  // Returns the log, once the association has ended.
  std::string Said() {
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    return ReadFile(log_).value_or("");
  }
  ~ServedTest() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(options_.incoming);
  }

  ScpOptions options_;
  std::string log_;
  ScopedFd listening_;
  int port_ = 0;
  pid_t pid_ = -1;
};

TEST_F(ServedTest, EchoAndStoreAreServedAndCounted) {
  Start("MODALITY@127.0.0.1", "committed");
  {
    Scu scu(port_, {}, {kVerification, kComputedRadiography, kCt});
    ASSERT_EQ(scu.refusal(), "");
    EXPECT_FALSE(scu.Accepts(kCt));
    EXPECT_TRUE(scu.Echo());
    EXPECT_EQ(scu.Store(kComputedRadiography, "1.2.3.4.5a"), 0);
    EXPECT_EQ(scu.Store(kComputedRadiography, "1.2\\3"), 0x0117);
    scu.Release();
  }
  const std::string said = Said();
  EXPECT_TRUE(absl::StrContains(said, "MODALITY@127.0.0.1: ended: 1 taken"))
      << said;
  EXPECT_TRUE(absl::StrContains(said, "1 not taken")) << said;
  EXPECT_FALSE(absl::StrContains(said, "1.2.3.4")) << said;
}

// The message names the option that admits the title.
TEST_F(ServedTest, ATitleThatIsNotAllowedIsRejectedByName) {
  Start("PACS", "committed");
  {
    Scu scu(port_, {.calling = "STORENODE"}, {kVerification});
    EXPECT_TRUE(absl::StrContains(scu.refusal(), "Calling AE Title"))
        << scu.refusal();
  }
  const std::string said = Said();
  EXPECT_TRUE(absl::StrContains(said, "--allow STORENODE@127.0.0.1")) << said;
}

TEST_F(ServedTest, AnotherCalledTitleIsRejected) {
  Start("", "committed");
  {
    Scu scu(port_, {.called = "OTHER"}, {kVerification});
    EXPECT_TRUE(absl::StrContains(scu.refusal(), "Called AE Title"))
        << scu.refusal();
  }
  EXPECT_TRUE(absl::StrContains(Said(), "it calls OTHER, this is HILUM"));
}

}  // namespace
}  // namespace hilum
