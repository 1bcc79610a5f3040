// SPDX-License-Identifier: Apache-2.0
#include "common/config/census.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  // The other cells of the arm have 63 - 8 in sum.
  cases.mutable_arms(0)->set_fold_class_counts(3, kMaxArmCases - (63 - 8));
  EXPECT_TRUE(CheckCensusShape(SomeStudy(), cases).ok());
  cases.mutable_arms(0)->set_fold_class_counts(3, kMaxArmCases - (63 - 9));
  EXPECT_FALSE(CheckCensusShape(SomeStudy(), cases).ok());
}

}  // namespace
}  // namespace hilum
