// SPDX-License-Identifier: Apache-2.0
#include "common/config/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "common/config/census.h"

namespace hilum {
namespace {

// Two folds and a final track, two classes, three bins.
v1::Study SomeStudy() {
  v1::Study study;
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_evaluation()->set_score_bins(3);
  return study;
}

// Three sick and two well in each fold, one of the sick taken for well.
v1::SubmitEvaluationRequest SomeEvaluation() {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation* track = evaluation.add_tracks();
    track->set_track(t);
    track->set_loss_sum(1.5);
    for (uint64_t count : {2, 1, 0, 2}) track->add_confusion(count);
    for (uint32_t positives : {3, 2}) {
      v1::ScoreHistogram* scores = track->add_classes();
      for (uint32_t bin : {0u, 1u, positives - 1}) scores->add_positives(bin);
      for (uint32_t bin : {4u - positives, 1u, 0u}) scores->add_negatives(bin);
    }
  }
  return evaluation;
}

using Change = std::function<void(v1::TrackEvaluation&)>;

absl::Status After(const Change& change) {
  v1::SubmitEvaluationRequest evaluation = SomeEvaluation();
  change(*evaluation.mutable_tracks(1));
  return CheckEvaluationShape(SomeStudy(), evaluation.tracks());
}

TEST(EvaluationTest, OfTheStudysShapeIsTaken) {
  EXPECT_TRUE(After([](v1::TrackEvaluation&) {}).ok());
}

TEST(EvaluationTest, OtherShapesAndCountsThatDisagreeAreRefused) {
  const Change changes[] = {
      [](auto& t) { t.set_track(2); },
      [](auto& t) { t.set_loss_sum(std::nan("")); },
      [](auto& t) { t.set_loss_sum(std::numeric_limits<double>::infinity()); },
      [](auto& t) { t.add_confusion(0); },
      [](auto& t) { t.mutable_classes()->RemoveLast(); },
      [](auto& t) { t.mutable_classes(0)->add_positives(0); },
      [](auto& t) { t.mutable_classes(1)->add_negatives(0); },
      [](auto& t) { t.mutable_classes(0)->set_positives(0, 1); },
      [](auto& t) { t.mutable_classes(1)->set_negatives(0, 1); },
      [](auto& t) { t.set_confusion(0, 3); }};
  for (const Change& change : changes) {
    EXPECT_EQ(After(change).code(), absl::StatusCode::kInvalidArgument);
  }
  v1::SubmitEvaluationRequest short_of_one = SomeEvaluation();
  short_of_one.mutable_tracks()->RemoveLast();
  EXPECT_FALSE(CheckEvaluationShape(SomeStudy(), short_of_one.tracks()).ok());
}

absl::Status WithMaps(bool localization, uint64_t mapped, double in_lungs,
                      double lungs) {
  v1::Study study = SomeStudy();
  study.mutable_evaluation()->set_localization(localization);
  v1::SubmitEvaluationRequest evaluation = SomeEvaluation();
  v1::TrackEvaluation& track = *evaluation.mutable_tracks(1);
  track.set_mapped(mapped);
  track.set_map_in_lungs_sum(in_lungs);
  track.set_lung_share_sum(lungs);
  return CheckEvaluationShape(study, evaluation.tracks());
}

TEST(EvaluationTest, SumsOverMapsAreFromZeroToTheMapsAndTheseToTheCases) {
  const double nan = std::nan("");
  EXPECT_TRUE(WithMaps(true, 5, 5, 0).ok());
  EXPECT_TRUE(WithMaps(true, 0, 0, 0).ok());
  EXPECT_FALSE(WithMaps(true, 6, 5, 0).ok());  // five cases
  for (double bad : {-0.1, 4.1, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(WithMaps(true, 4, bad, 1).ok()) << bad;
    EXPECT_FALSE(WithMaps(true, 4, 1, bad).ok()) << bad;
  }
  EXPECT_TRUE(WithMaps(false, 0, 0, 0).ok());
  EXPECT_FALSE(WithMaps(false, 1, 0, 0).ok());
  EXPECT_FALSE(WithMaps(false, 0, 0.5, 0).ok());
}

TEST(EvaluationTest, CountsThatWrapToTheRightSumAreRefused) {
  const absl::Status status = After([](v1::TrackEvaluation& track) {
    track.set_confusion(0, (uint64_t{1} << 63) + 2);
    track.set_confusion(1, (uint64_t{1} << 63) + 1);
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(EvaluationTest, MoreCasesThanAnArmMayHaveAreRefused) {
  const auto with = [](uint32_t cases) {
    return After([cases](v1::TrackEvaluation& track) {
      track.set_confusion(0, cases - 3);
      track.mutable_classes(0)->set_positives(0, cases - 5);
      track.mutable_classes(1)->set_negatives(0, cases - 3);
    });
  };
  EXPECT_TRUE(with(kMaxArmCases).ok());
  EXPECT_FALSE(with(kMaxArmCases + 1).ok());
}

}  // namespace
}  // namespace hilum
