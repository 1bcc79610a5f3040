// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/coordinator_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "site_agent/gateway/call_outcome.h"
#include "site_agent/gateway/ledger.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Fails `failures` times with `status`, then has no work.
class FailingTransport : public Transport {
 public:
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout) override {
    ++calls;
    if (failures == 0) return absl::OkStatus();
    --failures;
    return status;
  }
  void Shutdown() override { shut_down = true; }

  int calls = 0;
  int failures = 0;
  absl::Status status;
  bool shut_down = false;
};

class CoordinatorCallsTest : public testing::Test {
 protected:
  static std::string NewFolder() {
    const std::string path = absl::StrCat(
        testing::TempDir(), "/calls-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    return path;
  }

  absl::Status Poll() {
    const v1::NextTaskRequest request = SiteSession({}).Poll({}, {}, {});
    v1::NextTaskResponse response;
    return calls_.Call("NextTask", request, &response);
  }

  const std::string folder_ = NewFolder();
  HastyClock clock_;
  FailingTransport transport_;
  std::vector<std::string> lines_;
  const SiteOptions options_{
      .log = [this](absl::string_view line) { lines_.emplace_back(line); }};
  const SiteLog log_{options_};
  const std::unique_ptr<Ledger> ledger_ =
      Ledger::Open(folder_ + "/ledger.jsonl", clock_).value();
  const Approvals approvals_ = Approvals::Open(folder_).value();
  EgressFacts facts_{{.site = "a"}, approvals_, clock_};
  EgressGate gate_{transport_, *ledger_, approvals_, facts_};
  CoordinatorCalls calls_{gate_, transport_, clock_, log_};
};

TEST_F(CoordinatorCallsTest, CutNetworkIsToldOnceAndWaitedFor) {
  transport_.failures = 20;
  transport_.status = absl::UnavailableError("no route");
  EXPECT_TRUE(Poll().ok());
  EXPECT_EQ(transport_.calls, 21);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("no route; trying again"),
                                  "the coordinator answers again"));
}

TEST_F(CoordinatorCallsTest, UnnamedLimitIsMetAFewTimesOnly) {
  transport_.failures = 100;
  transport_.status = absl::ResourceExhaustedError("too much of something");
  EXPECT_TRUE(absl::IsResourceExhausted(Poll()));
  EXPECT_EQ(transport_.calls, 1 + StepPatience::kMostPerhaps);
}

TEST_F(CoordinatorCallsTest, RefusalIsNotRepeated) {
  transport_.failures = 2;
  transport_.status = absl::PermissionDeniedError("no");
  EXPECT_TRUE(absl::IsPermissionDenied(Poll()));
  EXPECT_EQ(transport_.calls, 1);
}

TEST_F(CoordinatorCallsTest, StopEndsPausesAndCalls) {
  transport_.failures = 100;
  transport_.status = absl::UnavailableError("no route");
  calls_.Stop();
  EXPECT_TRUE(transport_.shut_down);
  EXPECT_TRUE(calls_.stopped());
  EXPECT_FALSE(calls_.Pause(absl::Hours(24)));
  EXPECT_TRUE(absl::IsCancelled(Poll()));
  EXPECT_EQ(transport_.calls, 1);
}

TEST_F(CoordinatorCallsTest, LogHasNoControlCharacters) {
  log_("words of \x1b[31m others\nerror: forged");
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].find('\n'), std::string::npos);
  EXPECT_EQ(lines_[0].find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace hilum
