// SPDX-License-Identifier: Apache-2.0
#include "coordinator/seen_by_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/trained_tracks.h"
#include "tests/common/config/filled_study.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A study of two folds and classes, from a file that lists its images.
StudyResult Listing() {
  StudyResult result{.study = Filled()};
  result.study.mutable_cross_validation()->set_folds(2);
  v1::StartingWeights& weights = *result.study.mutable_starting_weights();
  weights.set_file("best.safetensors");
  v1::TrainedOn& set = *weights.add_trained_on();
  set.set_name("open");
  set.set_images(1);
  set.set_digests("12345678");
  for (int a = 0; a < 2; ++a) {
    v1::ArmCensus& arm = *result.census_totals.add_arms();
    for (uint64_t count : {30, 40, 50, 60}) arm.add_fold_class_counts(count);
    for (uint64_t count : {3, 4, 0, 6}) {
      arm.add_fold_class_seen(a == 0 ? count : 0);
    }
  }
  return result;
}

TEST(SeenByWeightsTest, EveryCaseIsHeldOutOnce) {
  const std::vector<SeenInArm> arms = SeenByWeights(Listing());
  ASSERT_EQ(arms.size(), 2u);
  EXPECT_EQ(arms[0].arm, v1::ARM_SEGMENTED);
  EXPECT_EQ(arms[0].held_out, 180u);
  EXPECT_EQ(arms[0].seen, 13u);
  EXPECT_THAT(arms[0].class_held_out, ElementsAre(80, 100));
  EXPECT_THAT(arms[0].class_seen, ElementsAre(3, 10));
  EXPECT_EQ(arms[1].seen, 0u);
}

TEST(SeenByWeightsTest, WhatIsLeftOutIsSaidWithItsNumber) {
  StudyResult result = Listing();
  EXPECT_THAT(SeenWarnings(result),
              ElementsAre(AllOf(
                  HasSubstr("leave out 13 of 180 held-out cases of arm "
                            "segmented and 0 of 180 held-out cases of arm "
                            "whole"),
                  HasSubstr("best.safetensors"), HasSubstr("fewer than 10"),
                  HasSubstr("trained on"))));
  EXPECT_EQ(ResultWarnings(result), SeenWarnings(result));
  result.census_totals.mutable_arms(0)->mutable_fold_class_seen()->Resize(0, 0);
  EXPECT_THAT(SeenWarnings(result), IsEmpty());
}

TEST(SeenByWeightsTest, CasesThatStayAreAWarning) {
  StudyResult result = Listing();
  result.study.mutable_evaluation()->set_exclude_pretraining_cases(false);
  EXPECT_THAT(SeenWarnings(result),
              ElementsAre(AllOf(HasSubstr("The figures are too good"),
                                HasSubstr("13 of 180"),
                                HasSubstr("exclude_pretraining_cases: true"),
                                Not(HasSubstr("leave out 13")))));
}

TEST(SeenByWeightsTest, WeightsThatDoNotSayAllAreUnknown) {
  StudyResult result = Listing();
  v1::TrainedOn& more =
      *result.study.mutable_starting_weights()->add_trained_on();
  more.set_name("hospitals");
  more.set_images(9);
  EXPECT_THAT(
      SeenWarnings(result),
      ElementsAre(HasSubstr("leave out 13"),
                  AllOf(HasSubstr("unknown"),
                        HasSubstr("hospitals (9 images, not listed)"))));
  result.study.mutable_starting_weights()->clear_trained_on();
  EXPECT_THAT(
      SeenWarnings(result),
      ElementsAre(AllOf(HasSubstr("unknown"), HasSubstr("does not name"))));
  EXPECT_THAT(SeenByWeights(result), IsEmpty());
  result.study.clear_starting_weights();
  EXPECT_THAT(SeenWarnings(result), IsEmpty());
}

TEST(SeenByWeightsTest, TheProductsOwnNetworksAndUncomparedCasesAreNamed) {
  StudyResult result = Listing();
  result.census_totals.mutable_arms(0)->clear_fold_class_seen();
  result.census_totals.set_lungs_network_cases(21);
  result.census_totals.set_orientation_network_cases(22);
  result.census_totals.set_cases_not_compared(23);
  EXPECT_THAT(SeenWarnings(result),
              ElementsAre(HasSubstr("23 cases were not compared"),
                          AllOf(HasSubstr("learned from 21 of the cases"),
                                HasSubstr("learned from 22 of the cases"))));
  // Nobody used masks.
  result.study.clear_arms();
  result.study.add_arms(v1::ARM_WHOLE);
  result.census_totals.mutable_arms()->RemoveLast();
  EXPECT_THAT(SeenWarnings(result),
              ElementsAre(HasSubstr("23 cases"), Not(HasSubstr("lung masks"))));
}

}  // namespace
}  // namespace hilum
