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

// Returns three sick and two well in each fold; one sick case is classified as
// well.
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
      // Half withheld.
      [](auto& t) { t.mutable_classes(0)->set_positives(1, 0); },
      [](auto& t) { t.set_confusion(0, 3); }};
  for (const Change& change : changes) {
    EXPECT_EQ(After(change).code(), absl::StatusCode::kInvalidArgument);
  }
  v1::SubmitEvaluationRequest short_of_one = SomeEvaluation();
  short_of_one.mutable_tracks()->RemoveLast();
  EXPECT_FALSE(CheckEvaluationShape(SomeStudy(), short_of_one.tracks()).ok());
}

TEST(EvaluationTest, HistogramsThatAreWithheldAreZerosAndTheOthersStay) {
  v1::SubmitEvaluationRequest evaluation = SomeEvaluation();
  ShownHistograms shown(6, true);
  shown[2] = false;  // sick, in the second fold
  WithholdHistograms(shown, *evaluation.mutable_tracks());
  const v1::SubmitEvaluationRequest all = SomeEvaluation();
  EXPECT_EQ(evaluation.tracks(0).SerializeAsString(),
            all.tracks(0).SerializeAsString());
  EXPECT_EQ(evaluation.tracks(1).classes(1).SerializeAsString(),
            all.tracks(1).classes(1).SerializeAsString());
  for (int b = 0; b < 3; ++b) {
    EXPECT_EQ(evaluation.tracks(1).classes(0).positives(b), 0u);
    EXPECT_EQ(evaluation.tracks(1).classes(0).negatives(b), 0u);
  }
  EXPECT_TRUE(CheckEvaluationShape(SomeStudy(), evaluation.tracks()).ok());
  EXPECT_TRUE(HistogramsAre(shown, evaluation.tracks(1)));
  EXPECT_FALSE(HistogramsAre(shown, all.tracks(1)));
  EXPECT_FALSE(HistogramsAre({}, evaluation.tracks(1)));
  EXPECT_TRUE(HistogramsAre({}, all.tracks(1)));
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

// Overlaps for the same study as a segmentation: two sick and three well cases,
// two patients in each class, one of them in both.
v1::SubmitEvaluationRequest SomeOverlaps() {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation* track = evaluation.add_tracks();
    track->set_track(t);
    track->set_loss_sum(1.5);
    for (uint64_t cases : {2, 3, 5}) {
      v1::Overlap& overlap = *track->add_overlaps();
      overlap.set_cases(cases);
      overlap.set_patients(cases == 5 ? 3 : 2);
      overlap.set_implausible(cases == 2 ? 0 : 1);
      const double n = static_cast<double>(overlap.patients());
      overlap.set_dice_sum(0.9 * n);
      overlap.set_dice_square_sum(0.85 * n);
      overlap.set_iou_sum(0.8 * n);
      overlap.set_iou_square_sum(0.75 * n);
    }
  }
  return evaluation;
}

absl::Status OverlapsAfter(const Change& change, v1::StudyTask task) {
  v1::Study study = SomeStudy();
  study.set_task(task);
  v1::SubmitEvaluationRequest evaluation = SomeOverlaps();
  change(*evaluation.mutable_tracks(1));
  return CheckEvaluationShape(study, evaluation.tracks());
}

TEST(EvaluationTest, OverlapsAreOfSegmentationAndOfNothingElse) {
  const Change none = [](auto&) {};
  EXPECT_TRUE(OverlapsAfter(none, v1::STUDY_TASK_SEGMENTATION).ok());
  EXPECT_FALSE(OverlapsAfter(none, v1::STUDY_TASK_CLASSIFICATION).ok());
  EXPECT_FALSE(After([](auto& t) { t.add_overlaps(); }).ok());
  const Change of_classes[] = {[](auto& t) { t.add_confusion(0); },
                               [](auto& t) { t.add_classes(); },
                               [](auto& t) { t.set_mapped(1); },
                               [](auto& t) { t.set_map_in_lungs_sum(0.5); },
                               [](auto& t) { t.set_lung_share_sum(0.5); }};
  for (const Change& change : of_classes) {
    EXPECT_EQ(OverlapsAfter(change, v1::STUDY_TASK_SEGMENTATION).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(EvaluationTest, EvaluatedCasesAreThoseOfTheTask) {
  EXPECT_EQ(EvaluatedCases(SomeEvaluation().tracks(0)), 5u);
  EXPECT_EQ(EvaluatedCases(SomeOverlaps().tracks(0)), 5u);
  EXPECT_EQ(EvaluatedCases(v1::TrackEvaluation()), 0u);
}

TEST(EvaluationTest, OverlapsThatCannotBeAreRefused) {
  const double nan = std::nan("");
  const Change changes[] = {
      [](auto& t) { t.mutable_overlaps()->RemoveLast(); },
      [](auto& t) { t.add_overlaps(); },
      // Changes of one class.
      [](auto& t) { t.mutable_overlaps(0)->set_patients(3); },
      [](auto& t) { t.mutable_overlaps(0)->set_patients(0); },
      [](auto& t) { t.mutable_overlaps(0)->set_implausible(3); },
      [](auto& t) { t.mutable_overlaps(0)->set_dice_sum(2.01); },
      [](auto& t) { t.mutable_overlaps(0)->set_dice_sum(-0.01); },
      [=](auto& t) { t.mutable_overlaps(0)->set_dice_sum(nan); },
      [](auto& t) { t.mutable_overlaps(0)->set_dice_square_sum(1.81); },
      [](auto& t) { t.mutable_overlaps(0)->set_dice_square_sum(-1); },
      [](auto& t) { t.mutable_overlaps(0)->set_iou_sum(1.81); },
      [=](auto& t) { t.mutable_overlaps(0)->set_iou_sum(nan); },
      [](auto& t) { t.mutable_overlaps(0)->set_iou_square_sum(1.61); },
      [=](auto& t) { t.mutable_overlaps(0)->set_iou_square_sum(nan); },
      // Changes of all against the classes.
      [](auto& t) { t.mutable_overlaps(2)->set_cases(6); },
      [](auto& t) { t.mutable_overlaps(2)->set_implausible(0); },
      [](auto& t) { t.mutable_overlaps(2)->set_patients(5); },
      [](auto& t) { t.mutable_overlaps(2)->Clear(); },
      [](auto& t) {
        t.mutable_overlaps(2)->set_patients(1);
        for (auto set :
             {&v1::Overlap::set_dice_sum, &v1::Overlap::set_dice_square_sum,
              &v1::Overlap::set_iou_sum, &v1::Overlap::set_iou_square_sum}) {
          (t.mutable_overlaps(2)->*set)(0.5);
        }
      }};
  for (size_t i = 0; i < std::size(changes); ++i) {
    EXPECT_EQ(OverlapsAfter(changes[i], v1::STUDY_TASK_SEGMENTATION).code(),
              absl::StatusCode::kInvalidArgument)
        << i;
  }
}

TEST(EvaluationTest, MoreCasesThanAnArmMayHaveAreRefusedOfOverlapsToo) {
  const auto with = [](uint64_t cases) {
    return OverlapsAfter(
        [cases](v1::TrackEvaluation& track) {
          track.mutable_overlaps(0)->set_cases(cases - 3);
          track.mutable_overlaps(2)->set_cases(cases);
        },
        v1::STUDY_TASK_SEGMENTATION);
  };
  EXPECT_TRUE(with(kMaxArmCases).ok());
  EXPECT_FALSE(with(kMaxArmCases + 1).ok());
  // The sum wraps to the right value.
  const absl::Status wraps = OverlapsAfter(
      [](v1::TrackEvaluation& track) {
        track.mutable_overlaps(0)->set_cases((uint64_t{1} << 63) + 2);
        track.mutable_overlaps(1)->set_cases((uint64_t{1} << 63) + 3);
      },
      v1::STUDY_TASK_SEGMENTATION);
  EXPECT_FALSE(wraps.ok());
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
