// SPDX-License-Identifier: Apache-2.0
#include "common/config/cohort_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/config/study.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::DoubleEq;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One arm, two folds, three classes: tracks 0 and 1 hold a fold out, 2 is
// final. Four sites, with secure aggregation.
v1::Study SomeStudy() {
  v1::Study study;
  for (const char* label : {"flu", "tb", "well"}) study.add_classes(label);
  for (const char* site : {"a", "b", "c", "d"}) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  FillStudyDefaults(study);
  return study;
}

// All sites have cases everywhere, and there are as many patients as cases.
v1::CensusTotals Totals(const std::vector<uint64_t>& cells,
                        uint64_t sites = 4) {
  v1::CensusTotals totals;
  v1::ArmCensus& arm = *totals.add_arms();
  arm.mutable_fold_class_counts()->Add(cells.begin(), cells.end());
  *arm.mutable_fold_class_patients() = arm.fold_class_counts();
  totals.mutable_track_sites()->Resize(3, sites);
  totals.mutable_track_class_sites()->Resize(9, sites);
  return totals;
}

std::string MessageOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  return std::string(status.message());
}

TEST(CohortRulesTest, PolicyThatSaysNothingHasTheDefaults) {
  v1::Policy policy;
  PolicyLimits limits = LimitsOf(policy);
  EXPECT_EQ(limits.minimum_cell_patients, 10u);
  EXPECT_EQ(limits.minimum_own_cell_patients, 0u);
  EXPECT_EQ(limits.minimum_steps, 8u);
  EXPECT_EQ(limits.largest_share, 1);
  // A given 0 stays 0.
  policy.set_minimum_cell_patients(0);
  policy.set_minimum_own_cell_patients(5);
  policy.set_minimum_steps(0);
  policy.set_largest_share(0.5);
  limits = LimitsOf(policy);
  EXPECT_EQ(limits.minimum_cell_patients, 0u);
  EXPECT_EQ(limits.minimum_own_cell_patients, 5u);
  EXPECT_EQ(limits.minimum_steps, 0u);
  EXPECT_EQ(limits.largest_share, 0.5);
}

TEST(CohortRulesTest, CellHasNoPatientOrAtLeastTen) {
  const v1::Study study = SomeStudy();
  EXPECT_TRUE(CheckCells(study, Totals({10, 0, 10, 11, 0, 12}), 10).ok());
  const std::string message =
      MessageOf(CheckCells(study, Totals({10, 20, 30, 10, 9, 12}), 10));
  EXPECT_THAT(message, HasSubstr("9 of class tb in fold 2 of arm whole"));
  EXPECT_THAT(message, HasSubstr("fewer than 10"));
  EXPECT_THAT(message, HasSubstr("fewer folds"));
  EXPECT_TRUE(CheckCells(study, Totals({1, 1, 1, 1, 1, 1}), 1).ok());
  EXPECT_TRUE(CheckCells(study, Totals({1, 1, 1, 1, 1, 1}), 0).ok());
}

// Returns totals of four sites, of which three make a sum.
v1::CensusTotals OfFour(uint64_t patients, uint64_t capped) {
  v1::CensusTotals totals =
      Totals({patients, patients, patients, patients, patients, patients});
  for (const char* site : {"a", "b", "c", "d"}) totals.add_sites(site);
  totals.mutable_capped_patients()->Resize(6, capped);
  return totals;
}

TEST(CohortRulesTest, CellKeepsTenPatientsWithoutAnySiteThatMayBeMissing) {
  v1::Study study = SomeStudy();
  EXPECT_EQ(MayBeMissing(study, OfFour(10, 10)), 1u);
  // Nine patients are at one site and one at another: without the first site
  // one patient is left.
  EXPECT_THAT(MessageOf(CheckCells(study, OfFour(10, 10), 10)),
              HasSubstr("may be without 1 site of the cohort, and could then "
                        "be over fewer than 10 patients of class flu in fold 1 "
                        "of arm whole"));
  // A thousand patients are at one site, and nine elsewhere.
  EXPECT_FALSE(CheckCells(study, OfFour(1009, 19), 10).ok());
  EXPECT_TRUE(CheckCells(study, OfFour(1010, 20), 10).ok());
  EXPECT_TRUE(CheckCells(study, OfFour(0, 0), 10).ok());
  EXPECT_FALSE(CheckCells(study, OfFour(1010, 20), 11).ok());
  EXPECT_TRUE(CheckCells(study, OfFour(1, 1), 1).ok());
  study.mutable_aggregation()->set_minimum_sites(4);
  EXPECT_EQ(MayBeMissing(study, OfFour(10, 10)), 0u);
  EXPECT_TRUE(CheckCells(study, OfFour(10, 10), 10).ok());
  // The census was without one of five sites: no more may be missing.
  study.add_sites("e");
  EXPECT_EQ(LeastSites(study), 4);
  EXPECT_EQ(MayBeMissing(study, OfFour(10, 10)), 0u);
}

TEST(CohortRulesTest, TrackHasThreeSitesWithoutAnyThatMayBeMissing) {
  v1::Study study = SomeStudy();
  v1::CensusTotals totals = OfFour(100, 40);
  totals.set_track_sites(0, 3);
  EXPECT_THAT(ActiveTracks(study, totals), ElementsAre(false, true, true));
  study.mutable_aggregation()->set_minimum_sites(4);
  EXPECT_THAT(ActiveTracks(study, totals), Each(true));
}

TEST(CohortRulesTest, HistogramIsShownWhereItStaysOfTenWithoutAnySite) {
  v1::Study study = SomeStudy();
  EXPECT_THAT(HistogramsShown(study, OfFour(15, 15)), Each(false));
  EXPECT_THAT(
      HistogramsShown(study, OfFour(25, 20)),
      ElementsAre(true, true, true, true, true, true, false, false, false));
  study.mutable_aggregation()->set_minimum_sites(4);
  EXPECT_TRUE(HistogramsShown(study, OfFour(15, 15))[0]);
}

// Returns the same totals with so many validation patients in each fold.
v1::CensusTotals Validating(uint64_t patients, uint64_t capped) {
  v1::CensusTotals totals = OfFour(100, 40);
  totals.mutable_arms(0)->mutable_fold_validation_patients()->Resize(2,
                                                                     patients);
  totals.mutable_capped_validation_patients()->Resize(2, capped);
  return totals;
}

TEST(CohortRulesTest, ArmIsValidatedWhereEachFoldHasTenWithoutAnySite) {
  v1::Study study = SomeStudy();
  EXPECT_THAT(ValidatedTracks(study, Validating(100, 40)), Each(false));
  study.mutable_training()->mutable_validation()->set_share(0.2);
  EXPECT_THAT(ValidatedTracks(study, Validating(100, 20)), Each(true));
  EXPECT_THAT(ValidatedTracks(study, Validating(100, 19)), Each(false));
  EXPECT_THAT(ValidatedTracks(study, Validating(0, 0)), Each(true));
  study.mutable_aggregation()->set_minimum_sites(4);
  EXPECT_THAT(ValidatedTracks(study, Validating(10, 10)), Each(true));
  EXPECT_THAT(ValidatedTracks(study, Validating(9, 9)), Each(false));
}

// Fold 2 is thin. Track 2 alone is of fold 1's patients and of no others, but
// the final track's loss less track 2's would be of fold 2's.
TEST(CohortRulesTest, OneThinFoldLeavesItsWholeArmWithoutValidation) {
  v1::Study study = SomeStudy();
  study.mutable_training()->mutable_validation()->set_share(0.2);
  v1::CensusTotals totals = Validating(100, 40);
  EXPECT_TRUE(DescribeUnvalidatedArms(study, totals).empty());
  totals.mutable_arms(0)->set_fold_validation_patients(1, 4);
  totals.set_capped_validation_patients(1, 4);
  EXPECT_THAT(ValidatedTracks(study, totals), Each(false));
  EXPECT_THAT(DescribeUnvalidatedArms(study, totals),
              ElementsAre(AllOf(
                  HasSubstr("no track of arm whole is validated"),
                  HasSubstr("too few validation patients in fold 2 (4; 10"),
                  HasSubstr("training.validation.share"))));
}

TEST(CohortRulesTest, StudyOfOneSiteIsValidatedOnAnyPatient) {
  v1::Study study = SomeStudy();
  study.clear_sites();
  study.add_sites("a");
  study.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_OFF);
  study.mutable_training()->mutable_validation()->set_share(0.2);
  EXPECT_THAT(ValidatedTracks(study, Validating(1, 1)), Each(true));
}

TEST(CohortRulesTest, ThresholdIsTwoThirdsAndOneAndAtLeastThree) {
  const int thresholds[] = {3, 3, 3, 3, 4, 5, 5, 6, 7, 7};
  for (int n = 1; n <= 10; ++n) EXPECT_EQ(SumThreshold(n), thresholds[n - 1]);
}

// A hundred films of one patient are one patient.
TEST(CohortRulesTest, PatientsCountAndNotTheirCases) {
  const v1::Study study = SomeStudy();
  v1::CensusTotals totals = Totals({100, 100, 100, 100, 100, 100});
  totals.mutable_arms(0)->set_fold_class_patients(0, 1);
  EXPECT_THAT(MessageOf(CheckCells(study, totals, 10)),
              HasSubstr("1 of class flu in fold 1"));
}

TEST(CohortRulesTest, OwnCellsAreCheckedOnlyWhereThePolicyAsks) {
  const v1::Study study = SomeStudy();
  const v1::CensusTotals own = Totals({3, 0, 10, 10, 10, 10});
  EXPECT_TRUE(CheckOwnCells(study, own.arms(), 0).ok());
  EXPECT_TRUE(CheckOwnCells(study, own.arms(), 3).ok());
  EXPECT_THAT(MessageOf(CheckOwnCells(study, own.arms(), 4)),
              HasSubstr("this site has too few patients"));
}

TEST(CohortRulesTest, TrackIsTrainedWhereThreeSitesHaveCases) {
  v1::Study study = SomeStudy();
  v1::CensusTotals totals = Totals({10, 10, 10, 10, 10, 10});
  totals.set_track_sites(0, 3);
  totals.set_track_sites(1, 2);
  EXPECT_THAT(ActiveTracks(study, totals), ElementsAre(true, false, true));
  EXPECT_THAT(TrackExamples(study, totals), ElementsAre(30, 0, 60));
  EXPECT_THAT(HeldOut(study, totals), ElementsAre(30, 0, 0));
  EXPECT_THAT(ClassWeights(study, totals),
              ElementsAre(1, 1, 1, 0, 0, 0, 1, 1, 1));
  // Without secure aggregation the coordinator sees each site's update anyway.
  study.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_OFF);
  EXPECT_THAT(ActiveTracks(study, totals), Each(true));
  EXPECT_THAT(TrackExamples(study, totals), ElementsAre(30, 30, 60));
}

TEST(CohortRulesTest, WeightsAndCasesAreTheCohorts) {
  const v1::Study study = SomeStudy();
  const v1::CensusTotals totals = Totals({1, 2, 0, 3, 6, 0});
  EXPECT_THAT(TrackExamples(study, totals), ElementsAre(9, 3, 12));
  EXPECT_THAT(HeldOut(study, totals), ElementsAre(3, 9, 0));
  EXPECT_THAT(
      ClassWeights(study, totals),
      ElementsAre(DoubleEq(9 / (3 * 3.0)), DoubleEq(9 / (3 * 6.0)), 0,
                  DoubleEq(3 / (3 * 1.0)), DoubleEq(3 / (3 * 2.0)), 0,
                  DoubleEq(12 / (3 * 4.0)), DoubleEq(12 / (3 * 8.0)), 0));
}

TEST(CohortRulesTest, ClassOfOneOrTwoSitesIsNamed) {
  const v1::Study study = SomeStudy();
  v1::CensusTotals totals = Totals({10, 10, 10, 10, 10, 10});
  EXPECT_THAT(ThinClasses(study, totals), IsEmpty());
  totals.set_track_class_sites(1, 2);
  totals.set_track_class_sites(2, 0);
  totals.set_track_class_sites(8, 1);
  totals.set_track_sites(1, 2);  // not trained: of no matter
  totals.set_track_class_sites(4, 2);
  const std::vector<ThinClass> thin = ThinClasses(study, totals);
  ASSERT_EQ(thin.size(), 2u);
  EXPECT_THAT(DescribeThinClass(study, thin[0]),
              HasSubstr("of class tb only 2 sites have cases for track "
                        "whole-fold-1"));
  EXPECT_THAT(DescribeThinClass(study, thin[1]),
              HasSubstr("of class well only 1 site has cases for track "
                        "whole-final"));
}

TEST(CohortRulesTest, SiteThatIsNearlyTheWholeCohortIsRefused) {
  const v1::Study study = SomeStudy();
  const v1::CensusTotals totals = Totals({50, 50, 0, 50, 50, 0});
  // One site has 80 of the 100 cases in fold 1, which the second track trains
  // on.
  EXPECT_TRUE(
      CheckDominance(study, Totals({40, 40, 0, 0, 0, 0}).arms(), totals, 0.8)
          .ok());
  const v1::CensusTotals own = Totals({40, 41, 0, 0, 0, 0});
  const std::string message =
      MessageOf(CheckDominance(study, own.arms(), totals, 0.8));
  EXPECT_THAT(message, HasSubstr("81 %"));
  EXPECT_THAT(message, HasSubstr("track whole-fold-2"));
  EXPECT_TRUE(CheckDominance(study, own.arms(), totals, 1).ok());
  v1::CensusTotals inactive = totals;
  inactive.set_track_sites(1, 2);
  EXPECT_TRUE(CheckDominance(study, own.arms(), inactive, 0.8).ok());
}

TEST(CohortRulesTest, HistogramHasTenPatientsOfTheClassAndTenOfAnother) {
  v1::Study study = SomeStudy();
  EXPECT_THAT(HistogramsShown(study, Totals({10, 9, 0, 10, 10, 30})),
              ElementsAre(false, false, false,  // no class beside flu has ten
                          true, true, true,     //
                          false, false, false));
  EXPECT_THAT(HistogramsShown(study, Totals({10, 9, 0, 10, 10, 30}), 9),
              ElementsAre(true, true, false, true, true, true,  //
                          false, false, false));
  v1::CensusTotals totals = Totals({10, 10, 10, 10, 10, 10});
  totals.set_track_sites(0, 2);
  EXPECT_THAT(HistogramsShown(study, totals),
              ElementsAre(false, false, false, true, true, true,  //
                          false, false, false));
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  EXPECT_THAT(HistogramsShown(study, totals), Each(false));
}

// Makes the study one whose starting weights list images.
void ListImages(v1::Study& study) {
  v1::TrainedOn& set = *study.mutable_starting_weights()->add_trained_on();
  set.set_images(1);
  set.set_digests("12345678");
}

// A histogram of the few patients who are left would show them.
TEST(CohortRulesTest, PatientsLeftOutOfTheEvaluationDoNotHideOthers) {
  v1::Study study = SomeStudy();
  ListImages(study);
  study.mutable_aggregation()->set_minimum_sites(4);
  v1::CensusTotals totals = Totals({20, 20, 20, 20, 20, 20});
  v1::ArmCensus& arm = *totals.mutable_arms(0);
  for (uint64_t seen : {12, 0, 0, 0, 0, 0}) {
    arm.add_fold_class_seen(seen);
    arm.add_fold_class_unseen_patients(20 - seen);
    totals.add_capped_unseen_patients(20 - seen);
  }
  EXPECT_THAT(HistogramsShown(study, totals),
              ElementsAre(false, true, true, true, true, true,  //
                          false, false, false));
  EXPECT_THAT(HeldOut(study, totals), ElementsAre(48, 60, 0));
  study.mutable_evaluation()->set_exclude_pretraining_cases(false);
  EXPECT_TRUE(HistogramsShown(study, totals)[0]);
  EXPECT_THAT(HeldOut(study, totals), ElementsAre(60, 60, 0));
  // With a site that may be missing, at most ten of each site's count.
  study.mutable_evaluation()->set_exclude_pretraining_cases(true);
  study.mutable_aggregation()->clear_minimum_sites();
  totals.add_sites("a");
  for (const char* site : {"b", "c", "d"}) totals.add_sites(site);
  totals.mutable_capped_patients()->Resize(6, 20);
  EXPECT_FALSE(HistogramsShown(study, totals)[0]);
  totals.set_capped_unseen_patients(4, 19);
  EXPECT_TRUE(HistogramsShown(study, totals)[3]);
  EXPECT_FALSE(HistogramsShown(study, totals)[4]);
}

TEST(CohortRulesTest, StudyOfOneSiteShowsItsHistograms) {
  v1::Study study = SomeStudy();
  while (study.sites_size() > 1) study.mutable_sites()->RemoveLast();
  study.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_OFF);
  EXPECT_THAT(HistogramsShown(study, Totals({1, 1, 0, 1, 1, 1})),
              ElementsAre(true, true, false, true, true, true,  //
                          false, false, false));
}

}  // namespace
}  // namespace hilum
