// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/track_shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::HasSubstr;

// Two folds and a final track of one arm; this site has three cases in each
// cell of fold and class.
class TrackSharesTest : public testing::Test {
 protected:
  TrackSharesTest() {
    study_.mutable_training()->mutable_validation()->set_share(0.2);
    own_.emplace();
    v1::ArmCensus& arm = *own_->add_arms();
    for (int cell = 0; cell < 4; ++cell) arm.add_fold_class_counts(3);
    for (int track = 0; track < 3; ++track) {
      v1::TrackUpdate& update = *trained_.add_tracks();
      update.set_num_examples(5);
      update.set_loss_sum(10);
      update.set_validation_examples(1);
      update.set_validation_loss_sum(2);
    }
  }
  absl::StatusOr<std::vector<TrackShare>> Shares() const {
    return TrackShares(study_, CohortOfFifties(study_), choices_, own_,
                       trained_);
  }

  v1::Study study_ = SmallStudy();
  TrackChoices choices_;
  std::optional<v1::SubmitCensusRequest> own_;
  v1::TrainResponse trained_;
};

TEST_F(TrackSharesTest, WithinTheCensusTheTrainersNumbersCount) {
  const auto shares = Shares();
  ASSERT_TRUE(shares.ok()) << shares.status();
  ASSERT_EQ(shares->size(), 3u);
  EXPECT_EQ((*shares)[0].num_examples, 5u);
  EXPECT_EQ((*shares)[0].validation_examples, 1u);
  EXPECT_EQ((*shares)[0].loss_sum, 10);
  EXPECT_EQ((*shares)[0].total_examples, 100u) << "one fold of fifties";
  EXPECT_EQ((*shares)[2].total_examples, 200u) << "the final track";
}

TEST_F(TrackSharesTest, MoreThanTheCensusIsCutDownWithItsLosses) {
  trained_.mutable_tracks(0)->set_num_examples(9);
  trained_.mutable_tracks(0)->set_loss_sum(18);
  trained_.mutable_tracks(0)->set_validation_examples(3);
  trained_.mutable_tracks(0)->set_validation_loss_sum(6);
  const auto shares = Shares();
  ASSERT_TRUE(shares.ok()) << shares.status();
  const TrackShare& cut = (*shares)[0];  // six cases outside fold 1
  EXPECT_EQ(cut.validation_examples, 1u);
  EXPECT_EQ(cut.num_examples, 5u);
  EXPECT_DOUBLE_EQ(cut.loss_sum, 10);
  EXPECT_DOUBLE_EQ(cut.validation_loss_sum, 2);
}

TEST_F(TrackSharesTest, StoppedTrackGetsNothing) {
  for (uint32_t stopped_after : {0, 3, 0}) {
    choices_.Add()->set_stopped_after(stopped_after);
  }
  const auto shares = Shares();
  ASSERT_TRUE(shares.ok()) << shares.status();
  EXPECT_EQ((*shares)[0].num_examples, 5u);
  const TrackShare& stopped = (*shares)[1];
  EXPECT_EQ(stopped.num_examples, 0u);
  EXPECT_EQ(stopped.validation_examples, 0u);
  EXPECT_EQ(stopped.total_examples, 0u);
  EXPECT_EQ((*shares)[2].validation_examples, 1u);
}

// Four validation patients in a fold would be told apart by two tracks' losses.
TEST_F(TrackSharesTest, ArmWithAThinFoldGetsNoValidation) {
  v1::CensusTotals cohort = CohortOfFifties(study_);
  cohort.mutable_arms(0)->set_fold_validation_patients(1, 4);
  cohort.set_capped_validation_patients(1, 4);
  const auto shares = TrackShares(study_, cohort, choices_, own_, trained_);
  ASSERT_TRUE(shares.ok()) << shares.status();
  for (const TrackShare& share : *shares) {
    EXPECT_EQ(share.num_examples, 5u);
    EXPECT_EQ(share.validation_examples, 0u);
    EXPECT_EQ(share.validation_loss_sum, 0);
  }
}

// Zeros of two sites would leave the losses of the third alone.
TEST_F(TrackSharesTest, TrackWithoutItsValidationTakesTheSiteOutOfAMaskedSum) {
  trained_.mutable_tracks(1)->set_validation_examples(0);
  trained_.mutable_tracks(1)->set_validation_loss_sum(0);
  own_->mutable_arms(0)->clear_fold_validation_patients();
  for (int fold = 0; fold < 2; ++fold) {
    own_->mutable_arms(0)->add_fold_validation_patients(3);
  }
  EXPECT_TRUE(Shares().ok()) << "without masks nothing hides behind it";
  const v1::Validation validation = study_.training().validation();
  study_ = SmallStudy({"a", "b", "c"});
  *study_.mutable_training()->mutable_validation() = validation;
  study_.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_ON);
  v1::CensusTotals cohort = CohortOfFifties(study_);
  cohort.clear_track_sites();
  for (int track = 0; track < 3; ++track) cohort.add_track_sites(3);
  const auto shares = TrackShares(study_, cohort, choices_, own_, trained_);
  EXPECT_TRUE(absl::IsAborted(shares.status())) << shares.status();
  EXPECT_THAT(shares.status().message(), HasSubstr("could not be validated"));
}

TEST_F(TrackSharesTest, AnswerThatLacksTracksIsNone) {
  trained_.mutable_tracks()->RemoveLast();
  EXPECT_TRUE(absl::IsInternal(Shares().status()));
}

TEST_F(TrackSharesTest, UntrainedTrackTakesTheSiteOutOfAMaskedSum) {
  trained_.mutable_tracks(1)->set_num_examples(0);
  trained_.mutable_tracks(1)->set_loss_sum(0);
  EXPECT_TRUE(Shares().ok()) << "without masks it is a site with weight 0";
  study_ = SmallStudy({"a", "b", "c"});
  study_.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_ON);
  v1::CensusTotals cohort = CohortOfFifties(study_);
  for (v1::ArmCensus& arm : *cohort.mutable_arms()) {
    for (uint64_t& n : *arm.mutable_fold_class_counts()) n = 50;
  }
  cohort.clear_track_sites();
  for (int track = 0; track < 3; ++track) cohort.add_track_sites(3);
  const auto shares = TrackShares(study_, cohort, choices_, own_, trained_);
  EXPECT_TRUE(absl::IsAborted(shares.status())) << shares.status();
  EXPECT_THAT(shares.status().message(), HasSubstr("could not be trained"));
}

}  // namespace
}  // namespace hilum
