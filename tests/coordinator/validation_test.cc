// SPDX-License-Identifier: Apache-2.0
#include "coordinator/validation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hilum {
namespace {

const double kNothing = std::nan("");

// Returns rounds of one track whose first globals had these losses.
std::vector<RoundSummary> Rounds(const std::vector<double>& losses) {
  std::vector<RoundSummary> rounds;
  for (double loss : losses) {
    rounds.push_back({.round = static_cast<uint32_t>(rounds.size()) + 1,
                      .validation_examples = {std::isnan(loss) ? 0u : 5u},
                      .validation_loss = {loss}});
  }
  return rounds;
}

bool IsOver(const std::vector<double>& losses, uint32_t patience,
            double minimum_gain = 0) {
  v1::Study study;
  study.mutable_training()->set_rounds(8);
  v1::Validation& rules = *study.mutable_training()->mutable_validation();
  rules.set_share(0.2);
  rules.set_patience(patience);
  rules.set_minimum_gain(minimum_gain);
  return TrainingIsOver(study, Rounds(losses));
}

// There are two arms of two tracks.
TEST(ValidationTest, ArmsAreWeighedByTheValidationExamplesOfTheirTracks) {
  RoundSummary round{.round = 1,
                     .mean_loss = {4, kNothing},
                     .validation_examples = {20, 10, 10, 0},
                     .validation_loss = {1, 2}};
  EXPECT_TRUE(round.HasFittingLengths());
  EXPECT_EQ(round.MeanValidationLoss(), 1.25);
  EXPECT_EQ(round.ArmValidationLoss(0, 2), 1);
  EXPECT_EQ(round.ArmValidationLoss(1, 2), 2);
  EXPECT_EQ(round.ArmLoss(0, 2), 4);
  EXPECT_TRUE(std::isnan(round.ArmLoss(1, 2)));
  round.validation_examples = {0, 0, 10, 0};
  round.validation_loss[0] = kNothing;
  EXPECT_EQ(round.MeanValidationLoss(), 2);
  EXPECT_TRUE(std::isnan(round.ArmValidationLoss(0, 2)));
}

// The rounds have the form from before losses were pooled.
TEST(ValidationTest, LossesByTrackComeToThoseOfTheirArms) {
  const RoundSummary round{.round = 1,
                           .mean_loss = {1, 3, kNothing, 5},
                           .validation_examples = {30, 10, 0, 8},
                           .validation_loss = {1, 2, kNothing, 6}};
  EXPECT_TRUE(round.HasFittingLengths());
  EXPECT_EQ(round.ArmLoss(0, 2), 2);
  EXPECT_EQ(round.ArmLoss(1, 2), 5);
  EXPECT_EQ(round.ArmValidationLoss(0, 2), 1.25);
  EXPECT_EQ(round.ArmValidationLoss(1, 2), 6);
  EXPECT_EQ(round.MeanValidationLoss(), (30 + 20 + 48) / 48.0);
}

TEST(ValidationTest, LossesThatFitNoTracksAreSeen) {
  EXPECT_TRUE(RoundSummary{.round = 1}.HasFittingLengths());
  for (const RoundSummary& bad :
       {RoundSummary{.round = 1, .validation_examples = {1}},
        RoundSummary{.round = 1, .validation_loss = {1}},
        RoundSummary{.round = 1,
        .validation_examples = {1, 2, 3},
        .validation_loss = {1, 2}}}) {
    EXPECT_FALSE(bad.HasFittingLengths());
  }
}

TEST(ValidationTest, TracksAreWeighedByTheirValidationExamples) {
  const RoundSummary round{.round = 1,
                           .validation_examples = {30, 10, 0},
                           .validation_loss = {1, 2, kNothing}};
  EXPECT_EQ(round.MeanValidationLoss(), 1.25);
  EXPECT_TRUE(std::isnan(RoundSummary{.round = 1}.MeanValidationLoss()));
}

TEST(ValidationTest, BestIsTheGlobalBeforeTheRoundOfTheLowestLoss) {
  EXPECT_EQ(BestRound(Rounds({})), std::nullopt);
  EXPECT_EQ(BestRound(Rounds({kNothing, kNothing})), std::nullopt);
  EXPECT_EQ(BestRound(Rounds({3, 2, 2.5})), 1u);
  EXPECT_EQ(BestRound(Rounds({3, 2, 2})), 1u);  // the first of equal ones
  EXPECT_EQ(BestRound(Rounds({1, 2, 3})), 0u);
  EXPECT_EQ(BestRound(Rounds({kNothing, 2, kNothing, 1})), 3u);
}

TEST(ValidationTest, TrainingEndsAfterPatienceWithoutGain) {
  EXPECT_FALSE(IsOver({3, 2, 2.5}, 2));
  EXPECT_TRUE(IsOver({3, 2, 2.5, 2}, 2));
  EXPECT_FALSE(IsOver({3, 2, 2.5, 1.9}, 2));
  EXPECT_FALSE(IsOver({3, 4, 5, 6}, 0));
  EXPECT_TRUE(IsOver({3, 4, 5, 6, 7, 8, 9, 10}, 0));  // all planned rounds
}

TEST(ValidationTest, RoundThatTriedNothingCountsNeitherWay) {
  EXPECT_FALSE(IsOver({3, 4, kNothing, kNothing}, 2));
  EXPECT_TRUE(IsOver({3, 4, kNothing, 4}, 2));
  EXPECT_FALSE(IsOver({kNothing, kNothing, kNothing}, 1));
}

TEST(ValidationTest, SmallGainsCountOnceTheyAddUp) {
  EXPECT_TRUE(IsOver({3, 2.95, 2.91}, 2, 0.1));
  EXPECT_FALSE(IsOver({3, 2.95, 2.89}, 2, 0.1));
}

}  // namespace
}  // namespace hilum
