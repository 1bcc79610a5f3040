// SPDX-License-Identifier: Apache-2.0
#include "coordinator/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/config/study.h"

namespace hilum {
namespace {

using testing::ElementsAre;

const double kNothing = std::nan("");

// Two folds: tracks 0 and 1, and the final track 2.
v1::Study SomeStudy(uint32_t patience, double minimum_gain = 0) {
  v1::Study study;
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_training()->set_rounds(8);
  v1::Validation& rules = *study.mutable_training()->mutable_validation();
  rules.set_share(0.2);
  rules.set_patience(patience);
  rules.set_minimum_gain(minimum_gain);
  return study;
}

// Returns rounds whose first globals had these losses: [rounds][tracks].
std::vector<RoundSummary> Rounds(
    const std::vector<std::vector<double>>& losses) {
  std::vector<RoundSummary> rounds;
  for (const std::vector<double>& of_tracks : losses) {
    RoundSummary& round = rounds.emplace_back();
    round.round = static_cast<uint32_t>(rounds.size());
    for (double loss : of_tracks) {
      round.validation_examples.push_back(std::isnan(loss) ? 0 : 5);
      round.validation_loss.push_back(loss);
    }
  }
  return rounds;
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

TEST(ValidationTest, EachTrackHasItsOwnBestRoundAndLast) {
  const v1::Study study = SomeStudy(2);
  const std::vector<RoundSummary> rounds = Rounds(
      {{3, 1, kNothing}, {2, 2, kNothing}, {4, 3, kNothing}, {1, 0, kNothing}});
  // Track 1 stopped in round 3, so its loss of round 4 does not count.
  EXPECT_THAT(EvaluatedRounds(study, rounds), ElementsAre(3, 0, 4));
  EXPECT_THAT(LastRounds(study, rounds), ElementsAre(4, 3, 4));
  EXPECT_THAT(EvaluatedRounds(SomeStudy(0), rounds), ElementsAre(3, 3, 4));
  EXPECT_THAT(EvaluatedRounds(study, {}), ElementsAre(0, 0, 0));
}

// A held-out case of track 0 changes losses of the other tracks only.
TEST(ValidationTest, TracksChoiceIsTheSameWhateverTheLossesOfOthers) {
  const v1::Study study = SomeStudy(1);
  const auto of_first = [&](double second, double third) {
    return EvaluatedRounds(study, Rounds({{3, second, third},
                                          {2, third, second},
                                          {2.5, second, kNothing}}))[0];
  };
  EXPECT_EQ(of_first(1, 2), 1u);
  EXPECT_EQ(of_first(2, 1), 1u);
  EXPECT_EQ(of_first(kNothing, 60), 1u);
}

TEST(ValidationTest, TrainingEndsOnceEachTrackWithCasesHasStopped) {
  const v1::Study study = SomeStudy(1);
  const auto rounds = Rounds({{1, 1, kNothing}, {2, 0.5, kNothing}});
  const auto longer =
      Rounds({{1, 1, kNothing}, {2, 0.5, kNothing}, {0, 0.75, kNothing}});
  EXPECT_FALSE(TrainingIsOver(study, rounds, {9, 9, 0}));
  EXPECT_TRUE(TrainingIsOver(study, rounds, {9, 0, 0}));
  EXPECT_TRUE(TrainingIsOver(study, longer, {9, 9, 0}));
  // A track that is never tried is trained for all rounds.
  EXPECT_FALSE(TrainingIsOver(study, longer, {9, 9, 9}));
  EXPECT_FALSE(TrainingIsOver(study, longer, {0, 0, 0}));
  EXPECT_FALSE(TrainingIsOver(SomeStudy(0), longer, {9, 9, 0}));
  std::vector<RoundSummary> all = longer;
  while (all.size() < 8) all.push_back(longer.back());
  EXPECT_TRUE(TrainingIsOver(study, all, {9, 9, 9}));
}

// Reports of studies that ended under an older release stay as they are.
TEST(ValidationTest, StudyOfProtocolSixHasOneChoiceByTheMeanOfAllTracks) {
  v1::Study study = SomeStudy(0);
  study.set_protocol_version(6);
  std::vector<RoundSummary> rounds;
  for (double loss : {0.9, 0.5, 0.75}) {
    rounds.push_back({.round = static_cast<uint32_t>(rounds.size()) + 1,
                      .validation_examples = {5, 5, 5},
                      .validation_loss = {loss}});
  }
  EXPECT_THAT(EvaluatedRounds(study, rounds), ElementsAre(1, 1, 1));
  // By tracks, from before they were pooled.
  EXPECT_THAT(EvaluatedRounds(study, Rounds({{1, 1, 1}, {0, 1, 1}, {2, 0, 2}})),
              ElementsAre(1, 1, 1));
}

}  // namespace
}  // namespace hilum
