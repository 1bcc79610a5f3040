// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/poll_pace.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

class SetClock : public Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::UnixEpoch();
};

class PollPaceTest : public testing::Test {
 protected:
  // Returns the sum of the pauses after `times` answers in a row, each with the
  // same time after its question.
  absl::Duration Sum(int times, const v1::NextTaskResponse& answer,
                     absl::Status status = absl::OkStatus(),
                     absl::Duration took = absl::ZeroDuration()) {
    absl::Duration sum;
    for (int i = 0; i < times; ++i) {
      pace_.Asking();
      clock_.now += took;
      last_ = pace_.After(status, answer);
      sum += last_;
    }
    return sum;
  }
  static v1::NextTaskResponse TaskOf(uint32_t round) {
    v1::NextTaskResponse answer;
    answer.mutable_task()->set_kind(v1::Task::TRAIN);
    answer.mutable_task()->mutable_header()->set_round(round);
    return answer;
  }

  SetClock clock_;
  PollPace pace_{clock_};
  absl::Duration last_;
};

TEST_F(PollPaceTest, NothingAtOnceIsSoonAskedForEveryFifteenSeconds) {
  v1::NextTaskResponse none;
  none.mutable_none();
  EXPECT_EQ(Sum(PollPace::kFreeEmpty, none), absl::ZeroDuration());
  EXPECT_EQ(Sum(1, none), absl::Milliseconds(200));
  EXPECT_EQ(Sum(1, none), absl::Milliseconds(400));
  Sum(10, none);
  EXPECT_EQ(last_, absl::Seconds(15));
}

TEST_F(PollPaceTest, LongPollIsNotPaced) {
  v1::NextTaskResponse none;
  none.mutable_none();
  Sum(10, none);
  EXPECT_EQ(Sum(50, none, absl::OkStatus(), absl::Seconds(30)),
            absl::ZeroDuration());
  EXPECT_EQ(Sum(PollPace::kFreeEmpty, none), absl::ZeroDuration());
}

TEST_F(PollPaceTest, AnswerThatIsEmptyOfAllCountsAsNothing) {
  Sum(20, v1::NextTaskResponse());
  EXPECT_EQ(last_, absl::Seconds(15));
}

TEST_F(PollPaceTest, CancelledCallsAreNotASpinningLoop) {
  Sum(20, v1::NextTaskResponse(), absl::CancelledError("by the coordinator"));
  EXPECT_EQ(last_, absl::Seconds(15));
}

TEST_F(PollPaceTest, RoundsOfALongStudyAreNotPaced) {
  for (uint32_t round = 1; round <= 500; ++round) {
    EXPECT_EQ(Sum(PollPace::kFreeTasks, TaskOf(round)), absl::ZeroDuration());
  }
}

TEST_F(PollPaceTest, OneRoundsTasksOverAndOverArePacedWithinTheHour) {
  Sum(PollPace::kFreeTasks, TaskOf(1));
  EXPECT_EQ(Sum(1, TaskOf(1)), absl::Milliseconds(200));
  Sum(20, TaskOf(1));
  EXPECT_EQ(last_, absl::Seconds(15));
  clock_.now += absl::Hours(1);
  EXPECT_EQ(Sum(1, TaskOf(1)), absl::ZeroDuration());
}

TEST_F(PollPaceTest, RefusedAnswersAndOffersAndEndsArePaced) {
  const absl::Status refused = absl::DataLossError("refused");
  EXPECT_EQ(Sum(PollPace::kFreeRefused, {}, refused), absl::ZeroDuration());
  Sum(10, {}, refused);
  EXPECT_EQ(last_, absl::Seconds(15));
  v1::NextTaskResponse offer;
  offer.mutable_offer();
  EXPECT_EQ(Sum(PollPace::kFreeOffers, offer), absl::ZeroDuration());
  EXPECT_GT(Sum(1, offer), absl::ZeroDuration());
  v1::NextTaskResponse ended;
  ended.mutable_ended();
  EXPECT_EQ(Sum(1, ended), absl::ZeroDuration());
  EXPECT_GT(Sum(1, ended), absl::ZeroDuration());
}

}  // namespace
}  // namespace hilum
