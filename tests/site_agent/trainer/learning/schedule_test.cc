// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/schedule.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

v1::Training TenRounds(v1::Schedule::Kind kind) {
  v1::Training training;
  training.set_rounds(10);
  training.mutable_schedule()->set_kind(kind);
  training.mutable_schedule()->set_step_factor(0.1);
  return training;
}

TEST(ScheduleTest, ConstantIsOne) {
  const v1::Training training = TenRounds(v1::Schedule::KIND_CONSTANT);
  EXPECT_EQ(RateFactor(training, 0), 1);
  EXPECT_EQ(RateFactor(training, 9.9), 1);
}

TEST(ScheduleTest, CosineFallsFromOneToItsEnd) {
  v1::Training training = TenRounds(v1::Schedule::KIND_COSINE);
  training.mutable_schedule()->set_final_fraction(0.2);
  EXPECT_DOUBLE_EQ(RateFactor(training, 0), 1);
  EXPECT_NEAR(RateFactor(training, 5), 0.6, 1e-12);
  EXPECT_NEAR(RateFactor(training, 10), 0.2, 1e-12);
}

TEST(ScheduleTest, WarmUpRisesToWhereTheRestBegins) {
  v1::Training training = TenRounds(v1::Schedule::KIND_COSINE);
  training.mutable_schedule()->set_warmup_rounds(2);
  EXPECT_DOUBLE_EQ(RateFactor(training, 0.5), 0.25);
  EXPECT_DOUBLE_EQ(RateFactor(training, 2), 1);
  EXPECT_NEAR(RateFactor(training, 6), 0.5, 1e-12);
}

TEST(ScheduleTest, StepsCountFromTheWarmUp) {
  v1::Training training = TenRounds(v1::Schedule::KIND_STEP);
  training.mutable_schedule()->set_step_rounds(3);
  training.mutable_schedule()->set_warmup_rounds(1);
  EXPECT_DOUBLE_EQ(RateFactor(training, 3.99), 1);
  EXPECT_DOUBLE_EQ(RateFactor(training, 4), 0.1);
  EXPECT_NEAR(RateFactor(training, 7), 0.01, 1e-12);
}

TEST(ScheduleTest, AStepOfTheWarmUpTakesTheRateAtItsEnd) {
  v1::Training training = TenRounds(v1::Schedule::KIND_COSINE);
  training.mutable_schedule()->set_warmup_rounds(2);
  training.set_local_epochs(2);
  const auto factor = [&](uint32_t round, uint32_t epoch, size_t step) {
    return StepRateFactor(training, {round, epoch, step, /*steps=*/5});
  };
  EXPECT_DOUBLE_EQ(factor(1, 0, 0), 0.05);
  EXPECT_DOUBLE_EQ(factor(1, 1, 0), 0.3);
  EXPECT_DOUBLE_EQ(factor(2, 1, 4), 1);
  EXPECT_DOUBLE_EQ(factor(3, 0, 0), 1);
  EXPECT_DOUBLE_EQ(factor(7, 1, 1), RateFactor(training, 6.6));
}

}  // namespace
}  // namespace hilum
