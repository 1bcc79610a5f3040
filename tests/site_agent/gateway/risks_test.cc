// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/risks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/config/study.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

v1::Study StudyOf(const std::vector<std::string>& sites,
                  const std::string& name = "lungs") {
  v1::Study study;
  study.set_name(name);
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const std::string& site : sites) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.set_initial_weights_sha256(std::string(32, 'w'));
  FillStudyDefaults(study);
  for (int i = 0; i < study.sites_size(); ++i) {
    study.add_site_keys(std::string(32, 'k'));
  }
  return study;
}

PastStudy Past(v1::Study study) {
  return {.hash = std::string(32, '\xab'), .study = std::move(study)};
}

std::vector<std::string> Names(const std::vector<Risk>& risks) {
  std::vector<std::string> names;
  for (const Risk& risk : risks) names.push_back(risk.name);
  return names;
}

std::vector<Risk> Risks(const v1::Study& study,
                        const std::vector<PastStudy>& past = {},
                        const v1::Policy& policy = {}) {
  return RisksOf(study, SiteId("a"), policy, past);
}

TEST(RisksTest, ASecureStudyOfPinnedKeysHasNone) {
  EXPECT_THAT(Risks(StudyOf({"a", "b", "c"})), IsEmpty());
}

TEST(RisksTest, WithoutSecureAggregationUpdatesAreVisible) {
  v1::Study study = StudyOf({"a", "b", "c"});
  study.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_OFF);
  const std::vector<Risk> risks = Risks(study);
  ASSERT_THAT(Names(risks), ElementsAre("visible_updates"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("the coordinator sees"));
  EXPECT_THAT(risks[0].sentence, testing::Not(HasSubstr("with two sites")));
}

TEST(RisksTest, OfTwoHospitalsTheOtherIsNamedAsOneWhoSees) {
  const std::vector<Risk> risks = Risks(StudyOf({"a", "b"}));
  ASSERT_THAT(Names(risks), ElementsAre("visible_updates"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("with two sites b can too"));
}

TEST(RisksTest, UnpinnedKeysAreARiskOfSecureAggregationAlone) {
  v1::Study study = StudyOf({"a", "b", "c"});
  study.clear_site_keys();
  EXPECT_THAT(Names(Risks(study)), ElementsAre("unpinned_keys"));
  v1::Study two = StudyOf({"a", "b"});
  two.clear_site_keys();
  EXPECT_THAT(Names(Risks(two)), ElementsAre("visible_updates"));
}

TEST(RisksTest, OneSiteMoreThanBeforeIsInferableAndNamed) {
  const std::vector<Risk> risks = Risks(
      StudyOf({"a", "b", "c", "d"}), {Past(StudyOf({"a", "b", "c"}, "first"))});
  ASSERT_THAT(Names(risks), ElementsAre("site_updates_inferable"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("first (abababababab)"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("differ only in d:"));
}

TEST(RisksTest, ASiteInAnothersPlaceIsTwoSitesOfDifference) {
  const std::vector<Risk> risks = Risks(StudyOf({"a", "b", "c", "e"}),
                                        {Past(StudyOf({"a", "b", "c", "d"}))});
  ASSERT_THAT(Names(risks), ElementsAre("site_updates_inferable"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("differ only in d, e:"));
}

TEST(RisksTest, ThreeSitesOfDifferenceOrNoneHideEachOther) {
  const std::vector<PastStudy> past = {Past(StudyOf({"a", "b", "c"}))};
  EXPECT_THAT(Risks(StudyOf({"a", "b", "c"}), past), IsEmpty());
  EXPECT_THAT(Risks(StudyOf({"a", "b", "c", "d", "e", "f"}), past), IsEmpty());
}

// Updates of studies with different starting weights are not compared, but a
// census does not depend on the starting weights.
TEST(RisksTest, CountsOfTheSiteThatTwoStudiesDifferInTakeAYes) {
  v1::Study other = StudyOf({"a", "b", "c"});
  other.set_initial_weights_sha256(std::string(32, 'x'));
  const v1::Study study = StudyOf({"a", "b", "c", "d"});
  const std::vector<Risk> risks = Risks(study, {Past(other)});
  ASSERT_THAT(Names(risks), ElementsAre("counts_inferable"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("differ only in d"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("how many cases that site has"));
  // Three differing sites hide one another, and equal sites reveal nothing.
  EXPECT_THAT(Risks(StudyOf({"a", "b", "c", "d", "e", "f"}), {Past(other)}),
              IsEmpty());
  EXPECT_THAT(Risks(StudyOf({"a", "b", "c"}), {Past(other)}), IsEmpty());
}

TEST(RisksTest, RoundsOfFewStepsShowABatch) {
  v1::Study study = StudyOf({"a", "b", "c"});
  study.mutable_training()->set_local_steps(8);
  study.mutable_training()->set_batch_size(64);
  EXPECT_THAT(Risks(study), IsEmpty());
  study.mutable_training()->set_local_steps(1);
  const std::vector<Risk> risks = Risks(study);
  ASSERT_THAT(Names(risks), ElementsAre("batch_gradients"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("only 1 training step"));
  EXPECT_THAT(risks[0].sentence, HasSubstr("about 64 cases of all sites"));
}

TEST(RisksTest, EachLoosenedNumberOfThePolicyIsSaid) {
  v1::Policy policy;
  policy.set_minimum_cell_patients(10);
  policy.set_minimum_steps(8);
  policy.set_minimum_batch(32);
  EXPECT_THAT(Risks(StudyOf({"a", "b", "c"}), {}, policy), IsEmpty());
  policy.set_minimum_cell_patients(9);
  policy.set_minimum_steps(7);
  policy.set_minimum_batch(31);
  const std::vector<Risk> risks = Risks(StudyOf({"a", "b", "c"}), {}, policy);
  ASSERT_THAT(Names(risks), ElementsAre("weak_policy"));
  for (const char* said : {"minimum_cell_patients is 9", "minimum_steps is 7",
                           "minimum_batch is 31"}) {
    EXPECT_THAT(risks[0].sentence, HasSubstr(said));
  }
}

TEST(RisksTest, WhatIsNotAcceptedIsListedWithItsSentence) {
  const std::vector<Risk> risks = {{"visible_updates", "all is seen"},
                                   {"weak_policy", "little is guarded"}};
  EXPECT_TRUE(CheckAccepted(risks, {"visible_updates", "weak_policy"}).ok());
  const absl::Status missing = CheckAccepted(risks, {"visible_updates"});
  EXPECT_EQ(missing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(missing.message()),
              HasSubstr("weak_policy: little is guarded"));
  EXPECT_THAT(std::string(missing.message()),
              testing::Not(HasSubstr("all is seen")));
}

// Returns a census with patients in one arm, fold by fold.
v1::SubmitCensusRequest Census(const std::vector<uint64_t>& patients) {
  v1::SubmitCensusRequest census;
  v1::ArmCensus* arm = census.add_arms();
  for (uint64_t count : patients) {
    arm->add_fold_class_patients(count);
    arm->add_fold_class_counts(3 * count);
  }
  return census;
}

class PatientsRiskTest : public testing::Test {
 protected:
  std::optional<Risk> Compare(const std::vector<uint64_t>& now,
                              const std::vector<uint64_t>& before) const {
    return PatientsRisk(study_, Census(now), Past(study_), Census(before));
  }
  const v1::Study study_ = StudyOf({"a", "b", "c"});
};

// Their censuses count the patients of two lists, which may differ in one.
TEST_F(PatientsRiskTest, StudiesWithOtherListsOfImagesAreInferable) {
  const auto listing = [&](const std::string& digests) {
    v1::Study study = study_;
    v1::TrainedOn& set = *study.mutable_starting_weights()->add_trained_on();
    set.set_name("films");
    set.set_images(digests.size() / 8);
    set.set_digests(digests);
    return study;
  };
  const v1::SubmitCensusRequest census = Census({50, 50, 50, 50});
  const v1::Study one = listing("digest-1"), two = listing("digest-1digest-2");
  EXPECT_FALSE(PatientsRisk(one, census, Past(one), census).has_value());
  const std::optional<Risk> risk = PatientsRisk(two, census, Past(one), census);
  ASSERT_TRUE(risk.has_value());
  EXPECT_EQ(risk->name, "patients_inferable");
  EXPECT_THAT(risk->sentence, HasSubstr("list other images"));
}

TEST_F(PatientsRiskTest, OneToNinePatientsOfDifferenceAreInferable) {
  EXPECT_FALSE(Compare({20, 20, 20, 20}, {20, 20, 20, 20}).has_value());
  const std::optional<Risk> one = Compare({21, 20, 20, 20}, {20, 20, 20, 20});
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->name, "patients_inferable");
  EXPECT_THAT(one->sentence, HasSubstr("by only 1 patient:"));
  EXPECT_TRUE(Compare({20, 20, 20, 20}, {20, 29, 20, 20}).has_value());
  EXPECT_FALSE(Compare({20, 20, 20, 20}, {20, 30, 20, 20}).has_value());
}

// Differences that cancel in the sum still mean differing patients.
TEST_F(PatientsRiskTest, FoldsAreComparedOneByOne) {
  const auto risk = Compare({21, 20, 19, 20}, {20, 20, 20, 20});
  ASSERT_TRUE(risk.has_value());
  EXPECT_THAT(risk->sentence, HasSubstr("by only 2 patients:"));
}

// One patient may have a case of each class: a difference of six in each of two
// classes may be six patients.
TEST_F(PatientsRiskTest, APatientOfTwoClassesCountsOnce) {
  const auto risk = Compare({26, 26, 20, 20}, {20, 20, 20, 20});
  ASSERT_TRUE(risk.has_value());
  EXPECT_THAT(risk->sentence, HasSubstr("by only 6 patients:"));
}

TEST_F(PatientsRiskTest, OtherFoldsAreComparedByClass) {
  v1::Study four = study_;
  four.mutable_cross_validation()->set_folds(4);
  const auto risk = PatientsRisk(four, Census({10, 10, 10, 10, 10, 10, 11, 10}),
                                 Past(study_), Census({20, 20, 20, 20}));
  ASSERT_TRUE(risk.has_value());
  EXPECT_THAT(risk->sentence, HasSubstr("by only 1 patient:"));
}

TEST_F(PatientsRiskTest, WithoutPatientsCasesAreCompared) {
  v1::SubmitCensusRequest before = Census({20, 20, 20, 20});
  before.mutable_arms(0)->clear_fold_class_patients();
  EXPECT_EQ(
      FewestDifferingPatients(study_, Census({21, 20, 20, 20}), study_, before),
      3u);
}

TEST_F(PatientsRiskTest, AnotherArmOrAnotherStartIsNotCompared) {
  v1::Study other = study_;
  other.set_arms(0, v1::ARM_SEGMENTED);
  EXPECT_FALSE(PatientsRisk(study_, Census({21, 20, 20, 20}), Past(other),
                            Census({20, 20, 20, 20}))
                   .has_value());
  other = study_;
  other.set_initial_weights_sha256(std::string(32, 'x'));
  EXPECT_FALSE(PatientsRisk(study_, Census({21, 20, 20, 20}), Past(other),
                            Census({20, 20, 20, 20}))
                   .has_value());
}

}  // namespace
}  // namespace hilum
