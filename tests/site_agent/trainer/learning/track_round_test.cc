// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/track_round.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// Ten cases of one arm in one fold of two: track 1 and the final one train on
// them, in batches of four.
class TrackRoundTest : public testing::Test {
 protected:
  TrackRoundTest() {
    v1::Study& study = prepared_.study;
    study.add_classes("sick");
    study.add_classes("well");
    study.add_arms(v1::ARM_WHOLE);
    study.mutable_cross_validation()->set_folds(2);
    study.mutable_training()->set_batch_size(4);
    study.mutable_training()->set_local_epochs(2);
    study.mutable_training()->mutable_optimizer()->set_learning_rate(0.1);
    prepared_.tracks = StudyTracks(study);
    prepared_.draws_key = std::string(32, 'k');
    for (int i = 0; i < 10; ++i) {
      prepared_.pool.data.manifest.cases.emplace_back();
      prepared_.pool.data.facts.emplace_back();
      prepared_.pool.data.whole.push_back({1});
      prepared_.pool.data.digests.push_back(std::string(32, 'd'));
      prepared_.pool.folds.push_back(0);
      prepared_.pool.patient_folds.push_back(1);
      prepared_.pool.validation_ranks.push_back(i < 2 ? 0.1 : 0.9);
    }
  }

  absl::Status Train(uint32_t round = 1, size_t track = 1) {
    steps_.clear();
    const auto step = [this](const TrackStep& at) -> absl::StatusOr<double> {
      steps_.emplace_back(at.cases.begin(), at.cases.end());
      epochs_before_ = at.epochs_before;
      if (!step_status_.ok()) return step_status_;
      return static_cast<double>(at.cases.size());
    };
    const auto validate =
        [this](absl::Span<const size_t> cases) -> absl::StatusOr<double> {
      tried_.assign(cases.begin(), cases.end());
      return validation_loss_;
    };
    const auto travelling = []() -> absl::StatusOr<std::vector<float>> {
      return std::vector<float>{3, 5};
    };
    return TrainOneTrack(
        prepared_,
        {.track = track, .round = round, .total_examples = total_examples_},
        std::vector<float>{1, 1}, {step, validate, travelling}, trained_);
  }

  PreparedStudy prepared_;
  std::vector<std::vector<size_t>> steps_;
  uint64_t epochs_before_ = 0;
  std::vector<size_t> tried_;
  absl::Status step_status_;
  double validation_loss_ = 7;
  uint64_t total_examples_ = 30;  // with local_steps
  TrainedTrack trained_;
};

TEST_F(TrackRoundTest, EachEpochTakesAllCasesInAnotherOrder) {
  ASSERT_TRUE(Train().ok());
  ASSERT_EQ(steps_.size(), 6u);  // 4, 4 and 2 cases, twice
  std::vector<std::vector<size_t>> epochs(2);
  for (size_t i = 0; i < 6; ++i) {
    std::vector<size_t>& epoch = epochs[i / 3];
    epoch.insert(epoch.end(), steps_[i].begin(), steps_[i].end());
  }
  for (const std::vector<size_t>& epoch : epochs) {
    EXPECT_THAT(epoch, UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_THAT(trained_.delta, ElementsAre(2, 4));
  EXPECT_EQ(trained_.update.num_examples(), 10u);
  EXPECT_EQ(trained_.update.loss_sum(), 10);  // of the last epoch
  EXPECT_TRUE(tried_.empty());
}

TEST_F(TrackRoundTest, RoundAndSiteKeyDecideTheOrderAndRepeatIt) {
  ASSERT_TRUE(Train(1).ok());
  const auto first = steps_;
  ASSERT_TRUE(Train(1).ok());
  EXPECT_EQ(steps_, first);
  ASSERT_TRUE(Train(2).ok());
  EXPECT_NE(steps_, first);
  EXPECT_EQ(epochs_before_, 3u);
  prepared_.draws_key = std::string(32, 'j');
  ASSERT_TRUE(Train(1).ok());
  EXPECT_NE(steps_, first);
}

TEST_F(TrackRoundTest, PatientsKeptForValidationAreTriedFirstAndNotTrained) {
  prepared_.study.mutable_training()->mutable_validation()->set_share(0.2);
  ASSERT_TRUE(Train().ok());
  EXPECT_THAT(tried_, ElementsAre(0, 1));
  EXPECT_EQ(trained_.update.validation_examples(), 2u);
  EXPECT_EQ(trained_.update.validation_loss_sum(), 7);
  EXPECT_EQ(trained_.update.num_examples(), 8u);
  validation_loss_ = std::numeric_limits<double>::infinity();
  ASSERT_TRUE(Train().ok());
  EXPECT_EQ(trained_.update.validation_examples(), 0u);
}

TEST_F(TrackRoundTest, TrackWithoutCasesGivesZeros) {
  prepared_.minimum_steps = 8;
  ASSERT_TRUE(Train(1, 0).ok());  // the track that holds the ten out
  EXPECT_TRUE(steps_.empty());
  EXPECT_THAT(trained_.delta, ElementsAre(0, 0));
  EXPECT_EQ(trained_.update.num_examples(), 0u);
}

// The cohort's 30 cases are five batches of six: this site gives a fifth of its
// ten cases to each.
TEST_F(TrackRoundTest, LocalStepsGoThroughAnEpochFromRoundToRound) {
  v1::Training& training = *prepared_.study.mutable_training();
  training.clear_local_epochs();
  training.set_local_steps(1);
  training.set_batch_size(6);
  prepared_.minimum_steps = 8;  // the gateway judges such rounds
  std::vector<std::vector<size_t>> epochs(2);
  for (uint32_t round = 1; round <= 10; ++round) {
    ASSERT_TRUE(Train(round).ok());
    ASSERT_EQ(steps_.size(), 1u);
    EXPECT_EQ(steps_[0].size(), 2u);
    EXPECT_EQ(trained_.update.num_examples(), 2u);
    EXPECT_EQ(trained_.update.steps(), 1u);
    EXPECT_EQ(epochs_before_, (round - 1) / 5);
    std::vector<size_t>& epoch = epochs[(round - 1) / 5];
    epoch.insert(epoch.end(), steps_[0].begin(), steps_[0].end());
  }
  for (const std::vector<size_t>& epoch : epochs) {
    EXPECT_THAT(epoch, UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  }
  EXPECT_NE(epochs[0], epochs[1]);
  // Two rounds of four steps each are the same eight steps.
  training.set_local_steps(4);
  std::vector<size_t> taken;
  for (uint32_t round : {1u, 2u}) {
    ASSERT_TRUE(Train(round).ok());
    for (const auto& step : steps_) {
      taken.insert(taken.end(), step.begin(), step.end());
    }
  }
  epochs[0].insert(epochs[0].end(), epochs[1].begin(), epochs[1].begin() + 6);
  EXPECT_EQ(taken, epochs[0]);
}

TEST_F(TrackRoundTest, CasesThatCameTwiceInARoundCountOnce) {
  v1::Training& training = *prepared_.study.mutable_training();
  training.clear_local_epochs();
  training.set_local_steps(10);
  training.set_batch_size(6);
  ASSERT_TRUE(Train().ok());
  EXPECT_EQ(steps_.size(), 10u);
  EXPECT_EQ(trained_.update.num_examples(), 10u);
  EXPECT_EQ(trained_.update.loss_sum(), 10);  // of 20 in the steps
}

TEST_F(TrackRoundTest, TrackOfTooFewSitesIsLeftOutOfLocalSteps) {
  v1::Training& training = *prepared_.study.mutable_training();
  training.clear_local_epochs();
  training.set_local_steps(1);
  total_examples_ = 0;
  ASSERT_TRUE(Train().ok());
  EXPECT_TRUE(steps_.empty());
  EXPECT_EQ(trained_.update.num_examples(), 0u);
}

TEST_F(TrackRoundTest, LossThatIsNotFiniteWithholdsTheTrackAndSaysWhere) {
  step_status_ = absl::OutOfRangeError("the loss is not finite");
  ASSERT_TRUE(Train().ok());
  EXPECT_THAT(trained_.warning, HasSubstr("track whole-fold-2, local epoch 1"));
  EXPECT_THAT(trained_.delta, ElementsAre(0, 0));
  EXPECT_EQ(trained_.update.num_examples(), 0u);
  step_status_ = absl::ResourceExhaustedError("no memory");
  EXPECT_EQ(Train().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hilum
