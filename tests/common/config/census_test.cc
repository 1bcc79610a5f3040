// SPDX-License-Identifier: Apache-2.0
#include "common/config/census.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

using testing::ElementsAre;

// Two arms, three folds, two classes.
v1::Study SomeStudy() {
  v1::Study study;
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  study.add_arms(v1::ARM_SEGMENTED);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(3);
  return study;
}

v1::SubmitCensusRequest SomeCensus() {
  v1::SubmitCensusRequest census;
  for (uint64_t arm = 0; arm < 2; ++arm) {
    v1::ArmCensus* counts = census.add_arms();
    for (uint64_t count : {1, 2, 4, 8, 16, 32}) {
      counts->add_fold_class_counts(count + 100 * arm);
    }
  }
  FillFingerprints(2, census);
  return census;
}

TEST(CensusTest, TrainingCasesAreThoseOfTheArmThatAreNotHeldOut) {
  const v1::Study study = SomeStudy();
  const v1::SubmitCensusRequest census = SomeCensus();
  ASSERT_TRUE(CheckCensusShape(study, census).ok());
  EXPECT_THAT(TrainingCases(study, {v1::ARM_SEGMENTED, 1}, census.arms()),
              ElementsAre(1 + 16, 2 + 32));
  EXPECT_THAT(TrainingCases(study, {v1::ARM_WHOLE, 0}, census.arms()),
              ElementsAre(104 + 116, 108 + 132));
  EXPECT_THAT(
      TrainingCases(study, {v1::ARM_SEGMENTED, Track::kFinal}, census.arms()),
      ElementsAre(1 + 4 + 16, 2 + 8 + 32));
}

TEST(CensusTest, OtherShapesAndTooManyCasesAreRefused) {
  v1::SubmitCensusRequest arms = SomeCensus(), cells = arms, cases = arms;
  arms.mutable_arms()->RemoveLast();
  cells.mutable_arms(1)->add_fold_class_counts(1);
  cases.mutable_arms(0)->set_fold_class_counts(3, ~uint64_t{0});
  for (const v1::SubmitCensusRequest& census : {arms, cells, cases}) {
    EXPECT_EQ(CheckCensusShape(SomeStudy(), census).code(),
              absl::StatusCode::kInvalidArgument);
  }
  // The other cells of the arm add up to 63 - 8.
  cases.mutable_arms(0)->set_fold_class_counts(3, kMaxArmCases - (63 - 8));
  FillFingerprints(2, cases);
  EXPECT_TRUE(CheckCensusShape(SomeStudy(), cases).ok());
  cases.mutable_arms(0)->set_fold_class_counts(3, kMaxArmCases - (63 - 9));
  FillFingerprints(2, cases);
  EXPECT_FALSE(CheckCensusShape(SomeStudy(), cases).ok());
}

TEST(CensusTest, PatientsAreOfEachCellAndNoMoreThanItsCases) {
  v1::SubmitCensusRequest census = SomeCensus();
  census.mutable_arms(1)->set_fold_class_patients(2, 0);
  EXPECT_TRUE(CheckCensusShape(SomeStudy(), census).ok());
  census.mutable_arms(1)->set_fold_class_patients(2, 105);
  EXPECT_EQ(CheckCensusShape(SomeStudy(), census).code(),
            absl::StatusCode::kInvalidArgument);
  for (int size : {0, 5, 7}) {
    census = SomeCensus();
    census.mutable_arms(0)->mutable_fold_class_patients()->Resize(size, 0);
    EXPECT_EQ(CheckCensusShape(SomeStudy(), census).code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST(CensusTest, ValidationPatientsAreOfEachFoldWhereTheStudyValidates) {
  v1::Study study = SomeStudy();
  v1::SubmitCensusRequest census = SomeCensus();
  const auto is_good = [&] { return CheckCensusShape(study, census).ok(); };
  const auto folds = static_cast<int>(study.cross_validation().folds());
  for (bool validates : {false, true}) {
    if (validates) {
      study.mutable_training()->mutable_validation()->set_share(0.2);
    }
    for (int size : {0, folds - 1, folds, folds + 1}) {
      for (v1::ArmCensus& arm : *census.mutable_arms()) {
        arm.mutable_fold_validation_patients()->Resize(size, 3);
      }
      EXPECT_EQ(is_good(), size == (validates ? folds : 0)) << size;
    }
  }
  census = SomeCensus();
  for (v1::ArmCensus& arm : *census.mutable_arms()) {
    arm.mutable_fold_validation_patients()->Resize(folds, 3);
  }
  EXPECT_TRUE(is_good());
  census.mutable_arms(0)->set_fold_validation_patients(0, kMaxArmCases + 1);
  EXPECT_FALSE(is_good());
}

TEST(CensusTest, RejectedMasksAreOfEachClassAndBounded) {
  v1::SubmitCensusRequest census = SomeCensus();
  census.set_rejected_masks(1, kMaxRows);
  EXPECT_TRUE(CheckCensusShape(SomeStudy(), census).ok());
  census.set_rejected_masks(1, kMaxRows + 1);
  EXPECT_EQ(CheckCensusShape(SomeStudy(), census).code(),
            absl::StatusCode::kInvalidArgument);
  for (int size : {0, 1, 3}) {
    census.mutable_rejected_masks()->Clear();
    census.mutable_rejected_masks()->Resize(size, 0);
    EXPECT_FALSE(CheckCensusShape(SomeStudy(), census).ok()) << size;
  }
}

absl::Status WithFingerprint(
    const std::function<void(v1::Fingerprint&)>& change) {
  v1::SubmitCensusRequest census = SomeCensus();
  change(*census.mutable_arms(0)->mutable_fingerprint());
  return CheckCensusShape(SomeStudy(), census);
}

TEST(CensusTest, FingerprintIsOfAsManyCasesAsTheArmHas) {
  using Change = std::function<void(v1::Fingerprint&)>;
  // The arm has 63 cases, all of the third side and all of one gray.
  const Change good[] = {
      [](auto&) {}, [](auto& f) { f.set_grays(0, 63 * kGrayRounding); },
      [](auto& f) { f.set_sides(2, 0), f.set_sides(5, 63); },
      [](auto& f) { f.set_masked(3), f.set_lung_share(3 * 4096); },
      [](auto& f) { f.set_masked(0), f.set_lung_share(0); }};
  for (const Change& change : good) {
    EXPECT_TRUE(WithFingerprint(change).ok()) << WithFingerprint(change);
  }
  const Change bad[] = {
      [](auto& f) { f.Clear(); }, [](auto& f) { f.add_grays(0); },
      [](auto& f) { f.mutable_grays()->RemoveLast(); },
      [](auto& f) { f.add_sides(0); }, [](auto& f) { f.set_sides(0, 1); },
      [](auto& f) { f.set_sides(2, 62); },
      // The sum wraps to 63, so each count needs its own bound.
      [](auto& f) { f.set_sides(0, ~uint64_t{0}), f.set_sides(2, 64); },
      [](auto& f) { f.set_grays(8, 63 * 4096 + 1); },
      [](auto& f) { f.set_grays(0, 63 * kGrayRounding + 1); },
      [](auto& f) { f.set_masked(64); },
      [](auto& f) { f.set_masked(3), f.set_lung_share(3 * 4096 + 1); },
      [](auto& f) { f.set_masked(0); }};
  for (size_t i = 0; i < std::size(bad); ++i) {
    EXPECT_EQ(WithFingerprint(bad[i]).code(),
              absl::StatusCode::kInvalidArgument)
        << i;
  }
}

}  // namespace
}  // namespace hilum
