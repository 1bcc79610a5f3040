// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/scores.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(ScoresTest, BinsAreUniformInLogOdds) {
  EXPECT_EQ(ScoreBin(-16, 64), 0);
  EXPECT_EQ(ScoreBin(-100, 64), 0);
  EXPECT_EQ(ScoreBin(-15.5, 64), 1);
  EXPECT_EQ(ScoreBin(0, 64), 32);
  EXPECT_EQ(ScoreBin(-1e-9, 64), 31);
  EXPECT_EQ(ScoreBin(16, 64), 63);
  EXPECT_EQ(ScoreBin(std::numeric_limits<double>::infinity(), 64), 63);
  EXPECT_EQ(ScoreBin(std::nan(""), 64), 0);
}

TEST(ScoresTest, LogOddsStayExactWhereTheProbabilityRoundsToOne) {
  std::vector<float> logits = {50, 0, 0};
  EXPECT_NEAR(LogOdds(logits)[0], 50 - std::log(2.0), 1e-9);
  double p = std::exp(LogSoftmax(logits)[1]);
  EXPECT_NEAR(LogOdds(logits)[1], std::log(p / (1 - p)), 1e-9);
}

TEST(ScoresTest, ACaseLandsInItsCells) {
  v1::TrackEvaluation evaluation = NewEvaluation(3, 2, 8);
  std::vector<float> logits = {0, 2};
  AddCase(logits, 0, evaluation);
  EXPECT_EQ(evaluation.track(), 3u);
  EXPECT_EQ(evaluation.confusion(1), 1u);
  EXPECT_EQ(evaluation.classes(0).positives(ScoreBin(-2, 8)), 1u);
  EXPECT_EQ(evaluation.classes(1).negatives(ScoreBin(2, 8)), 1u);
  EXPECT_NEAR(evaluation.loss_sum(), std::log(1 + std::exp(2.0)), 1e-6);
}

}  // namespace
}  // namespace hilum
