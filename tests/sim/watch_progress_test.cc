// SPDX-License-Identifier: Apache-2.0
#include "sim/watch_progress.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(WatchProgressTest, FindsTheRoundInALineAndNothingElsewhere) {
  EXPECT_EQ(RoundOfLine("0a1b  demo  training  round 3 of 10  loss 1.2"), 3);
  EXPECT_EQ(RoundOfLine("demo  training  round x of 10"), -1);
  EXPECT_EQ(RoundOfLine("round 3"), -1);
  EXPECT_EQ(RoundOfLine(""), -1);
}

TEST(WatchProgressTest, CompletedIsAPhaseAndNotAName) {
  EXPECT_TRUE(SaysCompleted("0a1b  demo  completed  WARNING: not trained"));
  EXPECT_TRUE(SaysCompleted("0a1b  demo  completed"));
  EXPECT_FALSE(SaysCompleted("0a1b  completed  stopped  by its operator"));
  EXPECT_FALSE(SaysCompleted("completed"));
}

TEST(WatchProgressTest, LinesMayComeInPieces) {
  v1::Study study;
  study.mutable_training()->set_rounds(4);
  WatchProgress progress(study);
  progress.Add("first\nsec");
  EXPECT_EQ(progress.last_line(), "first");
  progress.Add("ond\n");
  EXPECT_EQ(progress.last_line(), "second");
}

}  // namespace
}  // namespace hilum
