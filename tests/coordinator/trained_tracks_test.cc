// SPDX-License-Identifier: Apache-2.0
#include "coordinator/trained_tracks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/study.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Returns a study with tracks whole-fold-1, whole-fold-2, whole-final.
v1::Study TwoFolds() {
  v1::Study study;
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  return study;
}

RoundSummary Round(uint32_t round, std::vector<uint64_t> examples) {
  return {.round = round, .examples = std::move(examples)};
}

// All tracks' models are of one round.
std::vector<uint32_t> After(uint32_t round) { return {round, round, round}; }

TEST(TrainedTracksTest, TrackIsTrainedByAnyRoundInWhichAnUpdateCounted) {
  const std::vector<RoundSummary> rounds = {Round(1, {0, 0, 4}),
                                            Round(2, {0, 3, 0})};
  EXPECT_THAT(TrainedTracks(TwoFolds(), rounds, After(2)),
              ElementsAre(false, true, true));
  const std::string sentence = UntrainedSentence(TwoFolds(), rounds, After(2));
  EXPECT_THAT(sentence,
              AllOf(HasSubstr("whole-fold-1"), Not(HasSubstr("whole-fold-2")),
                    Not(HasSubstr("whole-final")), HasSubstr("learning_rate")));
}

TEST(TrainedTracksTest, RoundsAfterTheEvaluatedModelsDoNotCount) {
  const std::vector<RoundSummary> rounds = {Round(1, {0, 4, 4}),
                                            Round(2, {4, 4, 4})};
  EXPECT_THAT(TrainedTracks(TwoFolds(), rounds, After(1)),
              ElementsAre(false, true, true));
  EXPECT_THAT(TrainedTracks(TwoFolds(), rounds, After(2)),
              ElementsAre(true, true, true));
  EXPECT_EQ(UntrainedSentence(TwoFolds(), rounds, After(2)), "");
}

TEST(TrainedTracksTest, ValidationThatChoseTheStartSaysSo) {
  const std::vector<RoundSummary> rounds = {Round(1, {4, 4, 8})};
  EXPECT_THAT(TrainedTracks(TwoFolds(), rounds, After(0)),
              ElementsAre(false, false, false));
  EXPECT_THAT(UntrainedSentence(TwoFolds(), rounds, After(0)),
              AllOf(HasSubstr("No model of this study was trained"),
                    HasSubstr("Validation found the starting weights better")));
}

TEST(TrainedTracksTest, EachTrackHasARoundOfItsOwn) {
  const std::vector<RoundSummary> rounds = {Round(1, {4, 4, 0}),
                                            Round(2, {4, 0, 0})};
  const std::vector<uint32_t> models = {0, 1, 2};
  EXPECT_THAT(TrainedTracks(TwoFolds(), rounds, models),
              ElementsAre(false, true, false));
  EXPECT_THAT(UntrainedSentence(TwoFolds(), rounds, models),
              AllOf(HasSubstr("whole-fold-1, whole-final"),
                    HasSubstr("Validation found the starting weights better"),
                    HasSubstr("withheld its update")));
}

TEST(TrainedTracksTest, WithheldUpdatesInAllRoundsSaySo) {
  const std::vector<RoundSummary> rounds = {Round(1, {0, 0, 0}),
                                            Round(2, {0, 0, 0})};
  EXPECT_THAT(UntrainedSentence(TwoFolds(), rounds, After(2)),
              AllOf(HasSubstr("No model of this study was trained"),
                    HasSubstr("withheld its update")));
}

// Reports of studies that ended under an older release stay as they are.
TEST(TrainedTracksTest, RoundsOfOlderReleasesAndNoRoundsAreNotDoubted) {
  EXPECT_THAT(TrainedTracks(TwoFolds(), {Round(1, {})}, After(1)),
              ElementsAre(true, true, true));
  EXPECT_THAT(TrainedTracks(TwoFolds(), {}, After(0)),
              ElementsAre(true, true, true));
  EXPECT_EQ(UntrainedSentence(TwoFolds(), {}, After(0)), "");
}

}  // namespace
}  // namespace hilum
