// SPDX-License-Identifier: Apache-2.0
#include "coordinator/waiting_polls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "tests/coordinator/manual_clock.h"

namespace hilum {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
constexpr absl::Duration kWait = absl::Minutes(1);

int Threads() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    absl::string_view rest = line;
    int threads = 0;
    if (absl::ConsumePrefix(&rest, "Threads:") &&
        absl::SimpleAtoi(rest, &threads)) {
      return threads;
    }
  }
  return -1;
}

class WaitingPollsTest : public testing::Test {
 protected:
  // Offers work to a site as the core does, then wakes.
  void Offer(const std::string& site) {
    {
      absl::MutexLock lock(&mutex_);
      work_[site] = true;
    }
    polls_.Wake(SiteId(site));
  }
  uint64_t Poll(const std::string& site, absl::Duration wait = kWait) {
    int number = 0;
    {
      absl::MutexLock lock(&mutex_);
      number = started_++;
    }
    return polls_.Wait(
        SiteId(site), {}, wait, [this, number](WaitingPolls::Answer answer) {
          absl::MutexLock lock(&mutex_);
          answers_[number] =
              answer.ok() ? absl::StrCat(answer->next_case() ==
                                                 v1::NextTaskResponse::kTask
                                             ? "task"
                                             : "none")
                          : absl::StatusCodeToString(answer.status().code());
        });
  }
  // Returns the answers in the order of the polls.
  std::map<int, std::string> AwaitAnswers(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return answers_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
    return answers_;
  }
  std::vector<std::string> Asked() {
    absl::MutexLock lock(&mutex_);
    return asked_;
  }

  absl::Mutex mutex_;
  std::map<std::string, bool> work_;
  std::vector<std::string> asked_;
  std::map<int, std::string> answers_;
  int started_ = 0;
  ManualClock clock_{kStart};
  WaitingPolls polls_{
      [this](const SiteId& site, const v1::NextTaskRequest&)
          -> absl::StatusOr<std::optional<v1::NextTaskResponse>> {
        absl::MutexLock lock(&mutex_);
        asked_.push_back(site.name());
        if (!work_[site.name()]) return std::nullopt;
        v1::NextTaskResponse response;
        response.mutable_task();
        return response;
      },
      [](const SiteId&) {}, clock_};
};

using testing::ElementsAre;
using testing::Pair;

TEST_F(WaitingPollsTest, WorkThatIsThereIsAnsweredAtOnce) {
  Offer("a");
  EXPECT_EQ(Poll("a"), 0u);
  EXPECT_THAT(AwaitAnswers(1), ElementsAre(Pair(0, "task")));
  EXPECT_EQ(polls_.size(), 0u);
}

TEST_F(WaitingPollsTest, APollWithoutAWaitIsAnsweredWithNone) {
  Poll("a", absl::ZeroDuration());
  EXPECT_THAT(AwaitAnswers(1), ElementsAre(Pair(0, "none")));
}

TEST_F(WaitingPollsTest, AWakeAnswersTheSitesPollsAndAsksForNoOther) {
  Poll("a");
  Poll("b");
  Poll("a");
  Offer("a");
  EXPECT_THAT(AwaitAnswers(2), ElementsAre(Pair(0, "task"), Pair(2, "task")));
  EXPECT_THAT(Asked(), ElementsAre("a", "b", "a", "a", "a"));
  EXPECT_EQ(polls_.size(), 1u);
}

TEST_F(WaitingPollsTest, OneMoreThanTheSiteMayHaveAnswersItsOldest) {
  for (size_t i = 0; i < WaitingPolls::kPerSite; ++i) Poll("a");
  Poll("b");
  EXPECT_THAT(AwaitAnswers(0), ElementsAre());
  Poll("a");
  EXPECT_THAT(AwaitAnswers(1), ElementsAre(Pair(0, "none")));
  EXPECT_EQ(polls_.size(), WaitingPolls::kPerSite + 1);
}

TEST_F(WaitingPollsTest, OneMoreThanAllMayHaveAnswersTheOldestOfAll) {
  for (size_t i = 0; i < WaitingPolls::kInAll; ++i) {
    Poll(absl::StrCat("s", i));
  }
  Poll("late");
  EXPECT_THAT(AwaitAnswers(1), ElementsAre(Pair(0, "none")));
  EXPECT_EQ(polls_.size(), WaitingPolls::kInAll);
}

TEST_F(WaitingPollsTest, WaitingTakesNoThread) {
  const int before = Threads();
  ASSERT_GT(before, 0);
  for (int i = 0; i < 3000; ++i) Poll(absl::StrCat("s", i));
  EXPECT_EQ(polls_.size(), 3000u);
  EXPECT_EQ(Threads(), before);
}

TEST_F(WaitingPollsTest, ThePassedDeadlineIsAnsweredWithNone) {
  Poll("a", absl::Minutes(2));
  Poll("b", absl::Minutes(1));
  clock_.Advance(absl::Minutes(1) - absl::Milliseconds(2));
  // Its deadline is before all others, so the thread, which may be waiting for
  // the deadline of `b`, wakes and looks at the clock every millisecond.
  Poll("c", absl::Milliseconds(1));
  clock_.Advance(absl::Milliseconds(2));
  EXPECT_THAT(AwaitAnswers(2), ElementsAre(Pair(1, "none"), Pair(2, "none")));
}

TEST_F(WaitingPollsTest, ACancelledPollIsAnsweredOnceAndForgotten) {
  const uint64_t id = Poll("a");
  polls_.Cancel(id);
  polls_.Cancel(id);
  Offer("a");
  EXPECT_THAT(AwaitAnswers(1), ElementsAre(Pair(0, "CANCELLED")));
  EXPECT_EQ(polls_.size(), 0u);
}

TEST_F(WaitingPollsTest, TheShutdownAnswersWhatWaitsAndWhatComes) {
  Poll("a");
  polls_.Shutdown();
  EXPECT_THAT(AwaitAnswers(1), ElementsAre(Pair(0, "UNAVAILABLE")));
  Poll("a");
  EXPECT_THAT(AwaitAnswers(2),
              ElementsAre(Pair(0, "UNAVAILABLE"), Pair(1, "UNAVAILABLE")));
}

// The change comes between the question and the wait.
TEST(WaitingPollsRaceTest, AWakeWhileThePollIsAskedForIsNotLost) {
  ManualClock clock(kStart);
  WaitingPolls* polls = nullptr;
  bool there = false;
  WaitingPolls real(
      [&](const SiteId& site, const v1::NextTaskRequest&)
          -> absl::StatusOr<std::optional<v1::NextTaskResponse>> {
        if (there) return v1::NextTaskResponse();
        there = true;
        polls->Wake(site);
        return std::nullopt;
      },
      [](const SiteId&) {}, clock);
  polls = &real;
  absl::Notification answered;
  real.Wait(SiteId("a"), {}, kWait,
            [&](const WaitingPolls::Answer&) { answered.Notify(); });
  EXPECT_TRUE(answered.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

}  // namespace
}  // namespace hilum
