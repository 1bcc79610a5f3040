// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/call_outcome.h"

#include "absl/strings/match.h"
#include "common/base/cause.h"
#include "gtest/gtest.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

// One status code has three causes, and each needs another answer.
TEST(CallOutcomeTest, AFullDiskALargeMessageAndADevicesMemoryAreThreeThings) {
  const absl::Status exhausted = absl::ResourceExhaustedError("x");
  EXPECT_EQ(OutcomeOf(WithCause(exhausted, Cause::kDiskFull)),
            CallOutcome::kDiskFull);
  EXPECT_EQ(OutcomeOf(WithCause(exhausted, Cause::kTooLarge)),
            CallOutcome::kCannot);
  EXPECT_EQ(OutcomeOf(WithCause(exhausted, Cause::kOutOfMemory)),
            CallOutcome::kCannot);
  EXPECT_EQ(OutcomeOf(exhausted), CallOutcome::kPerhaps);
}

TEST(CallOutcomeTest, OnlyWhatMayChangeIsWaitedFor) {
  EXPECT_TRUE(IsWorthWaiting(OutcomeOf(absl::UnavailableError("x"))));
  EXPECT_TRUE(IsWorthWaiting(OutcomeOf(absl::DeadlineExceededError("x"))));
  for (const absl::Status& same :
       {absl::OkStatus(), absl::InternalError("x"), absl::AbortedError("x"),
        absl::NotFoundError("x"), absl::PermissionDeniedError("x"),
        absl::CancelledError("x")}) {
    EXPECT_FALSE(IsWorthWaiting(OutcomeOf(same))) << same;
  }
  EXPECT_EQ(OutcomeOf(absl::FailedPreconditionError("x")),
            CallOutcome::kRoundOver);
  EXPECT_EQ(OutcomeOf(absl::DataLossError("x")), CallOutcome::kRefused);
  EXPECT_EQ(OutcomeOf(absl::CancelledError("x")), CallOutcome::kStopped);
}

// Without this the call would repeat without end, and the round would wait for
// its deadline.
TEST(CallOutcomeTest, ADeviceWithoutMemoryCostsTheSiteItsPartOfTheRound) {
  SiteAtWork site(testing::TempDir() + "/call_outcome_memory");
  site.coordinator.tasks = {site.MakeTask(v1::Task::PREPARE, 0),
                            site.MakeTask(v1::Task::TRAIN, 1)};
  site.trainer.train =
      WithCause(absl::ResourceExhaustedError("device cuda:0: out of memory"),
                Cause::kOutOfMemory);
  bool told = false;
  site.on_log = [&](absl::string_view line) {
    told |= absl::StrContains(line, "gives nothing") &&
            absl::StrContains(line, "out of memory");
    EXPECT_FALSE(absl::StrContains(line, "trying again")) << line;
  };
  EXPECT_TRUE(site.Run().ok());
  EXPECT_TRUE(told);
  EXPECT_EQ(site.trainer.times_trained, 1);
  EXPECT_EQ(site.coordinator.updates.size(), 1u);
}

// The error does not name the limit: it may change in a minute, but the site
// must not wait without end.
TEST(CallOutcomeTest, ALimitWithoutACauseIsTriedAFewTimes) {
  SiteAtWork site(testing::TempDir() + "/call_outcome_perhaps");
  site.coordinator.tasks = {site.MakeTask(v1::Task::PREPARE, 0)};
  for (int i = 0; i < 9; ++i) {  // an unanswered task comes again
    site.coordinator.tasks.push_back(site.MakeTask(v1::Task::TRAIN, 1));
  }
  site.trainer.train = absl::ResourceExhaustedError("some limit");
  int again = 0;
  site.on_log = [&](absl::string_view line) {
    again += absl::StrContains(line, "some limit; trying again");
  };
  EXPECT_TRUE(site.Run().ok());
  EXPECT_EQ(again, 8);
  EXPECT_EQ(site.coordinator.updates.size(), 1u);
}

}  // namespace
}  // namespace hilum
