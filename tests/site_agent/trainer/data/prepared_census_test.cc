// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "common/metrics/fingerprint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "site_agent/trainer/data/prepared_study.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;

constexpr uint16_t kLung = 65535;

// A study of two folds and classes over planes of 2 x 2; cases are added.
class PreparedCensusTest : public testing::Test {
 protected:
  PreparedCensusTest() {
    prepared_.study.add_classes("sick");
    prepared_.study.add_classes("well");
    prepared_.study.add_arms(v1::ARM_WHOLE);
    prepared_.study.add_arms(v1::ARM_SEGMENTED);
    prepared_.study.mutable_cross_validation()->set_folds(2);
    prepared_.tracks = StudyTracks(prepared_.study);
  }

  void Add(int label, const ImageFacts& facts, const Plane& whole,
           const Plane& segmented, const Plane& whole_lungs = {}) {
    Dataset& data = prepared_.pool.data;
    CaseRow row;
    row.label = label;
    data.manifest.cases.push_back(row);
    data.facts.push_back(facts);
    data.whole.push_back(whole);
    data.segmented.push_back(segmented);
    data.whole_lungs.push_back(whole_lungs);
    prepared_.pool.folds.push_back(static_cast<int>(data.facts.size()) % 2);
    prepared_.pool.patient_folds.push_back(uint32_t{1}
                                           << prepared_.pool.folds.back());
    prepared_.pool.validation_ranks.push_back(1);
  }

  // Adds a case without the segmented arm.
  void AddOf(const std::string& patient, int label, int fold,
             double validation_rank) {
    Add(label, {}, {1}, {});
    prepared_.pool.data.manifest.cases.back().patient_id = patient;
    prepared_.pool.folds.back() = fold;
    prepared_.pool.patient_folds.back() = uint32_t{1} << fold;
    prepared_.pool.validation_ranks.back() = validation_rank;
  }

  PreparedStudy prepared_;
};

TEST_F(PreparedCensusTest, AFingerprintSumsWhatOneCaseIsOf) {
  // A half black, a quarter just below white, a quarter white.
  const Plane plane = {0, 100, 63488, 65535};
  Add(0, {.rows = 256, .columns = 200, .lung_share = 0.25}, plane, {});
  Add(1, {.rows = 100, .columns = 257}, plane, {});
  Add(1, {.rows = 9000, .columns = 257, .lung_share = 0.5}, plane, {});
  const v1::Fingerprint print = prepared_.FingerprintOf(v1::ARM_WHOLE);
  ASSERT_EQ(print.grays_size(), kFingerprintGrays);
  EXPECT_EQ(print.grays(0), 3 * kFingerprintShare / 2);
  EXPECT_EQ(print.grays(31), 3 * kFingerprintShare / 2);
  EXPECT_THAT(print.sides(), ElementsAre(1, 1, 0, 0, 0, 1));
  EXPECT_EQ(print.masked(), 2u);
  EXPECT_EQ(print.lung_share(), 3 * kFingerprintShare / 4);
  EXPECT_DOUBLE_EQ(*MeanLungShare(print), 0.375);
}

TEST_F(PreparedCensusTest, OnlyTheLungsCountInTheSegmentedArm) {
  // Black is outside the lungs; it is also outside where there are no lung
  // planes.
  Add(0, {.rows = 10, .columns = 10, .lung_share = 0.5}, {},
      {0, 0, 40000, 40000});
  const v1::Fingerprint print = prepared_.FingerprintOf(v1::ARM_SEGMENTED);
  EXPECT_EQ(print.grays(0), 0u);
  EXPECT_EQ(print.grays(40000 / 2048), kFingerprintShare);
  // A black pixel within the lung planes counts.
  prepared_.pool.data.segmented_lungs = {{kLung, 0, kLung, kLung}};
  EXPECT_EQ(prepared_.FingerprintOf(v1::ARM_SEGMENTED).grays(0),
            kFingerprintShare / 3);
}

TEST_F(PreparedCensusTest, RoundedSharesAreWithinWhatTheCensusAllows) {
  Plane plane;
  for (int i = 0; i < 97; ++i) plane.push_back(static_cast<uint16_t>(i * 675));
  Add(0, {.rows = 10, .columns = 10}, plane, {});
  const v1::Fingerprint print = prepared_.FingerprintOf(v1::ARM_WHOLE);
  uint64_t all = 0;
  for (uint64_t gray : print.grays()) all += gray;
  EXPECT_NEAR(static_cast<double>(all), kFingerprintShare, 16);
}

TEST_F(PreparedCensusTest, MasksThatAreNotUsedAreCountedByClass) {
  const std::string fault = "one lung";
  Add(0, {.mask_fault = fault}, {1}, {});
  Add(1, {.mask_fault = fault}, {1}, {});
  Add(1, {.mask_fault = fault}, {1}, {});
  Add(1, {}, {1}, {1});
  EXPECT_THAT(prepared_.RejectedMasks(), ElementsAre(1, 2));
  const v1::ArmCensus segmented = prepared_.Census(v1::ARM_SEGMENTED);
  EXPECT_EQ(segmented.without_mask(), 3u);
  EXPECT_THAT(segmented.fold_class_counts(), ElementsAre(0, 1, 0, 0));
  EXPECT_EQ(prepared_.Census(v1::ARM_WHOLE).without_mask(), 0u);
}

TEST_F(PreparedCensusTest, ThinArmHasNoCaseAndTheOthersKeepTheirs) {
  prepared_.study.mutable_training()->set_batch_size(1);
  prepared_.study.mutable_training()->set_local_epochs(2);
  for (int i = 0; i < 8; ++i) Add(i % 2, {}, {1}, {});
  for (int i = 0; i < 3; ++i) Add(i % 2, {}, {1}, {1});
  prepared_.minimum_steps = 8;
  prepared_.LeaveOutThinArms();
  // The segmented arm has three cases; a fold's track lacks two steps.
  EXPECT_THAT(prepared_.thin_arms, ElementsAre(v1::ARM_SEGMENTED));
  const v1::ArmCensus segmented = prepared_.Census(v1::ARM_SEGMENTED);
  EXPECT_THAT(segmented.fold_class_counts(), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(segmented.fold_class_patients(), ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(segmented.without_mask(), 0u);
  const v1::ArmCensus whole = prepared_.Census(v1::ARM_WHOLE);
  uint64_t cases = 0;
  for (uint64_t count : whole.fold_class_counts()) cases += count;
  EXPECT_EQ(cases, 11u);
  prepared_.minimum_steps = 0;
  prepared_.LeaveOutThinArms();
  prepared_.thin_arms.clear();
  EXPECT_TRUE(prepared_.Has(v1::ARM_SEGMENTED, 8));
}

// The draw for validation may take all of a track's few patients.
TEST_F(PreparedCensusTest, ArmThatOnlyValidatesInATrackIsThin) {
  prepared_.study.mutable_training()->set_batch_size(1);
  prepared_.study.mutable_training()->set_local_epochs(8);
  prepared_.study.mutable_training()->mutable_validation()->set_share(0.5);
  AddOf("one", 0, 0, 0.1);
  AddOf("two", 0, 1, 0.9);
  prepared_.minimum_steps = 8;
  prepared_.LeaveOutThinArms();
  EXPECT_THAT(prepared_.thin_arms, ElementsAre(v1::ARM_WHOLE));
}

TEST_F(PreparedCensusTest, ArmOfFewCasesGivesNoFingerprint) {
  const Plane plane = {0, 100, 63488, 65535};
  for (int i = 0; i < 9; ++i) Add(0, {.rows = 256, .columns = 9}, plane, {});
  EXPECT_EQ(FingerprintCases(prepared_.Census(v1::ARM_WHOLE).fingerprint()),
            0u);
  Add(0, {.rows = 256, .columns = 9}, plane, {});
  EXPECT_EQ(FingerprintCases(prepared_.Census(v1::ARM_WHOLE).fingerprint()),
            10u);
}

TEST_F(PreparedCensusTest, PatientsAreCountedOncePerFoldAndClass) {
  AddOf("one", 0, 0, 0.9);
  AddOf("one", 0, 0, 0.9);
  AddOf("one", 1, 0, 0.9);
  AddOf("two", 1, 0, 0.6);
  AddOf("three", 1, 1, 0.3);
  const v1::ArmCensus whole = prepared_.Census(v1::ARM_WHOLE);
  EXPECT_THAT(whole.fold_class_counts(), ElementsAre(2, 2, 0, 1));
  EXPECT_THAT(whole.fold_class_patients(), ElementsAre(1, 2, 0, 1));
  // Without a mask they are not in the segmented arm.
  EXPECT_THAT(prepared_.Census(v1::ARM_SEGMENTED).fold_class_patients(),
              ElementsAre(0, 0, 0, 0));
}

TEST_F(PreparedCensusTest, PatientsKeptForValidationAreNotCounted) {
  AddOf("one", 0, 0, 0.1);
  AddOf("two", 0, 0, 0.9);
  AddOf("three", 1, 1, 0.1);
  prepared_.study.mutable_training()->mutable_validation()->set_share(0.2);
  const v1::ArmCensus whole = prepared_.Census(v1::ARM_WHOLE);
  EXPECT_THAT(whole.fold_class_counts(), ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(whole.fold_class_patients(), ElementsAre(1, 0, 0, 0));
}

TEST_F(PreparedCensusTest, ValidationPatientsAreCountedOncePerFold) {
  AddOf("one", 0, 0, 0.1);
  AddOf("one", 1, 0, 0.1);
  AddOf("two", 1, 0, 0.15);
  AddOf("three", 1, 1, 0.1);
  AddOf("four", 1, 1, 0.9);
  EXPECT_TRUE(
      prepared_.Census(v1::ARM_WHOLE).fold_validation_patients().empty());
  prepared_.study.mutable_training()->mutable_validation()->set_share(0.2);
  EXPECT_THAT(prepared_.Census(v1::ARM_WHOLE).fold_validation_patients(),
              ElementsAre(2, 1));
  EXPECT_THAT(prepared_.Census(v1::ARM_SEGMENTED).fold_validation_patients(),
              ElementsAre(0, 0));
}

// Several sites' cases together: a patient who was at two of them, in two
// folds, is not trained on by the tracks that hold out either fold.
TEST_F(PreparedCensusTest, TrackThatTrainsOnFewestPatientsCounts) {
  prepared_.study.mutable_cross_validation()->set_folds(3);
  prepared_.tracks = StudyTracks(prepared_.study);
  AddOf("one", 0, 0, 0.9);
  AddOf("two", 0, 0, 0.9);
  prepared_.pool.patient_folds.back() = 3;
  EXPECT_THAT(prepared_.Census(v1::ARM_WHOLE).fold_class_patients(),
              ElementsAre(1, 0, 0, 0, 0, 0));
}

// Marks the last case as seen by starting weights that list images.
TEST_F(PreparedCensusTest, SeenCasesAreCountedTrainedOnAndNotHeldOut) {
  v1::TrainedOn& set =
      *prepared_.study.mutable_starting_weights()->add_trained_on();
  set.set_images(1);
  set.set_digests("12345678");
  prepared_.study.mutable_evaluation()->set_exclude_pretraining_cases(true);
  AddOf("one", 0, 0, 0.9);
  AddOf("two", 0, 0, 0.9);
  AddOf("two", 1, 0, 0.9);
  AddOf("three", 1, 1, 0.9);
  prepared_.pool.seen.marks = {false, true, true, false};
  const v1::ArmCensus whole = prepared_.Census(v1::ARM_WHOLE);
  EXPECT_THAT(whole.fold_class_counts(), ElementsAre(2, 1, 0, 1));
  EXPECT_THAT(whole.fold_class_patients(), ElementsAre(2, 1, 0, 1));
  EXPECT_THAT(whole.fold_class_seen(), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(whole.fold_class_unseen_patients(), ElementsAre(1, 0, 0, 1));
  const Track fold{v1::ARM_WHOLE, 0}, other{v1::ARM_WHOLE, 1};
  EXPECT_THAT(prepared_.CasesOf(fold, Part::kHeldOut), ElementsAre(0));
  EXPECT_THAT(prepared_.CasesOf(other, Part::kTraining), ElementsAre(0, 1, 2));
  prepared_.study.mutable_evaluation()->set_exclude_pretraining_cases(false);
  EXPECT_THAT(prepared_.CasesOf(fold, Part::kHeldOut), ElementsAre(0, 1, 2));
  // Counted all the same, for the warning.
  EXPECT_THAT(prepared_.Census(v1::ARM_WHOLE).fold_class_seen(),
              ElementsAre(1, 1, 0, 0));
}

TEST_F(PreparedCensusTest, SegmentationLearnsFromCasesWithLungsOnly) {
  Add(0, {}, {1}, {}, {kLung});
  Add(0, {}, {1}, {}, {});
  Add(1, {}, {1}, {}, {kLung});
  const Track last{v1::ARM_WHOLE, Track::kFinal};
  EXPECT_THAT(prepared_.CasesOf(last, Part::kTraining), ElementsAre(0, 1, 2));
  prepared_.study.set_task(v1::STUDY_TASK_SEGMENTATION);
  EXPECT_THAT(prepared_.CasesOf(last, Part::kTraining), ElementsAre(0, 2));
  const v1::ArmCensus census = prepared_.Census(v1::ARM_WHOLE);
  EXPECT_EQ(census.without_mask(), 1u);
  EXPECT_THAT(census.fold_class_counts(), ElementsAre(0, 0, 1, 1));
  EXPECT_EQ(FingerprintCases(prepared_.FingerprintOf(v1::ARM_WHOLE)), 2u);
}

}  // namespace
}  // namespace hilum
