// SPDX-License-Identifier: Apache-2.0
// The reports' parts about lung masks and the look of prepared images.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/report/lung_masks.h"
#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// Three sites; a and b reject some masks, c's images are brighter.
class ImagesReportTest : public ReportTest {
 protected:
  ImagesReportTest() {
    study_.add_sites("c");
    federated_ = Result({{a_, 9}, {b_, 9}, {c_, 9}});
    federated_.census[a_].set_rejected_masks(0, 5);
    federated_.census[b_].set_rejected_masks(1, 1);
    FillFingerprint(*federated_.census[c_].mutable_arms(0), 20);
    SumUp();
  }
  void SumUp() {
    federated_.census_totals = SumCensus(study_, federated_.census);
  }

  const SiteId a_{"a"}, b_{"b"}, c_{"c"};
};

TEST_F(ImagesReportTest, RejectedMasksAreShownByClass) {
  Write({});
  // The number of masks by class is unknown here: the study has no arm with
  // masks only.
  const json masks = report_["cohort"]["masks"];
  EXPECT_EQ(masks["per_class"]["sick"],
            json({{"n", nullptr}, {"rejected", 5}, {"share", nullptr}}));
  EXPECT_EQ(masks["all"],
            json({{"n", 126}, {"rejected", 6}, {"share", 6.0 / 126}}));
  EXPECT_EQ(report_["census"]["a"]["masks"]["all"]["rejected"], 5);
  EXPECT_EQ(report_["census"]["a"]["masks"]["all"]["n"], 45);
  EXPECT_THAT(html_, HasSubstr("Lung masks not used, by class"));
  EXPECT_THAT(html_, HasSubstr("<td><b>cohort</b></td><td>5</td><td>1</td>"
                               "<td>6 of 126 <span class='soft'>4.8 %"));
}

TEST_F(ImagesReportTest, NoMasksAreSpokenOfWhereNoneWereOpened) {
  study_.mutable_evaluation()->set_localization(false);
  federated_.study = study_;
  Write({});
  EXPECT_FALSE(report_["cohort"].contains("masks"));
  EXPECT_THAT(html_, Not(HasSubstr("Lung masks")));
}

TEST(CountMasksTest, UsedAndRejectedMasksAreThoseOfTheArmThatNeedsThem) {
  v1::Study study;
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  study.mutable_cross_validation()->set_folds(2);
  FillStudyDefaults(study);  // segmented, whole
  v1::SubmitCensusRequest census;
  for (uint64_t cases : {10, 20}) {
    v1::ArmCensus& arm = *census.add_arms();
    arm.mutable_fold_class_counts()->Resize(4, cases);
  }
  FillFingerprints(2, census);
  census.set_rejected_masks(0, 5);
  const auto counts = CountMasks(study, census.arms(), census.rejected_masks());
  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->classes[0].with_mask, 25u);
  EXPECT_EQ(counts->classes[0].Share(), 0.2);
  EXPECT_EQ(counts->classes[1].Share(), 0);
  EXPECT_EQ(counts->all.with_mask, 45u);
  EXPECT_EQ(counts->all.rejected, 5u);
  // In a study of segmentation a census has only the cases with a mask.
  study.clear_arms();
  study.add_arms(v1::ARM_WHOLE);
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  EXPECT_EQ(CountMasks(study, census.arms(), census.rejected_masks())
                ->classes[0]
                .with_mask,
            25u);
  study.mutable_data_rules()->set_judge_masks(false);
  EXPECT_FALSE(
      CountMasks(study, census.arms(), census.rejected_masks()).has_value());
  study.mutable_data_rules()->set_judge_masks(true);
  EXPECT_FALSE(CountMasks(study, census.arms(), {}).has_value());
}

TEST(CountMasksTest, WithoutMasksThereIsNoShare) {
  EXPECT_FALSE(MaskCount{}.Share().has_value());
  EXPECT_FALSE((MaskCount{.with_mask = 0}).Share().has_value());
}

TEST_F(ImagesReportTest, FingerprintIsOfEachKnownSiteAndOfTheCohort) {
  Write({});
  const json& print = report_["cohort"]["arms"]["whole"]["fingerprint"];
  EXPECT_EQ(print["n"], 120);
  EXPECT_EQ(print["masked"], 120);
  EXPECT_EQ(print["mean_lung_share"], 0.25);
  EXPECT_EQ(print["sides"], json({0, 0, 120, 0, 0, 0}));
  const json& own = report_["census"]["c"]["arms"]["whole"]["fingerprint"];
  EXPECT_EQ(own["n"], 40);
  EXPECT_EQ(own["gray_quantiles"]["0.5"], 20.5 / 32);
  EXPECT_THAT(html_, HasSubstr("How the images look"));
  EXPECT_THAT(html_, HasSubstr("<td>c</td><td>40</td><td>0.63</td><td>0.63</td>"
                               "<td>0.64</td><td>0.65</td><td>0.65</td>"
                               "<td>0.25</td><td>0 %</td><td>0 %</td>"
                               "<td>100 %</td>"));
  EXPECT_THAT(html_, HasSubstr("<td><b>cohort</b></td><td>120</td>"
                               "<td>0.25</td>"));
  EXPECT_THAT(html_, Not(HasSubstr("fingerprint.json")));
}

TEST_F(ImagesReportTest, SiteWhoseGraysAreOtherThanTheRestIsWarnedOf) {
  Write({});
  EXPECT_THAT(html_, HasSubstr("The images of <b>c</b> look different. Their "
                               "median gray is 0.64, that of the rest of the "
                               "cohort 0.27."));
  EXPECT_THAT(html_, Not(HasSubstr("The images of <b>a</b>")));
  EXPECT_THAT(html_, Not(HasSubstr("lungs take")));
  // Three bins are less than a tenth of gray.
  FillFingerprint(*federated_.census[c_].mutable_arms(0), 11);
  SumUp();
  Write({});
  EXPECT_THAT(html_, Not(HasSubstr("look different")));
}

TEST_F(ImagesReportTest, SiteWhoseLungsTakeMoreOfTheImageIsWarnedOf) {
  v1::ArmCensus& arm = *federated_.census[b_].mutable_arms(0);
  arm.mutable_fingerprint()->set_lung_share(40 * 4096 * 36 / 100);
  FillFingerprint(*federated_.census[c_].mutable_arms(0));
  SumUp();
  Write({});
  EXPECT_THAT(html_, HasSubstr("The images of <b>b</b> look different. Their "
                               "lungs take 0.36 of the image, those of the "
                               "rest of the cohort 0.25."));
  arm.mutable_fingerprint()->set_lung_share(40 * 4096 * 34 / 100);
  SumUp();
  Write({});
  EXPECT_THAT(html_, Not(HasSubstr("look different")));
}

TEST_F(ImagesReportTest, SiteUnderSecureAggregationIsToldHowToCompareItsOwn) {
  study_.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_ON);
  federated_.study = study_;
  federated_.census[c_].Clear();
  Write({});
  EXPECT_EQ(report_["cohort"]["arms"]["whole"]["fingerprint"]["n"], 120);
  EXPECT_FALSE(report_["census"].contains("c"));
  EXPECT_THAT(html_, HasSubstr("<code>fingerprint.json</code>"));
  EXPECT_THAT(html_, Not(HasSubstr("<td>c</td><td>40</td><td>0.63")));
  EXPECT_THAT(html_, Not(HasSubstr("look different")));
}

// The database has such censuses, both summed by the coordinator and under
// masks.
TEST_F(ImagesReportTest, StudyOfBeforeProtocolFiveSaysNothingOfThem) {
  study_.clear_task();
  study_.set_protocol_version(4);
  study_.mutable_data_rules()->clear_judge_masks();
  federated_.study = study_;
  for (auto& [site, census] : federated_.census) {
    census.clear_rejected_masks();
    census.mutable_arms(0)->clear_fingerprint();
  }
  SumUp();
  v1::CensusTotals stored = federated_.census_totals;
  stored.clear_rejected_masks();
  stored.mutable_arms(0)->clear_fingerprint();
  for (const v1::CensusTotals& totals : {federated_.census_totals, stored}) {
    federated_.census_totals = totals;
    Write({});
    EXPECT_EQ(report_["task"], "classification");
    EXPECT_EQ(report_["cohort"]["arms"]["whole"]["cases"]["sick"], 60);
    EXPECT_FALSE(report_["cohort"].contains("masks"));
    EXPECT_FALSE(report_["cohort"]["arms"]["whole"].contains("fingerprint"));
    EXPECT_THAT(html_, Not(HasSubstr("How the images look")));
    EXPECT_THAT(html_, Not(HasSubstr("Lung masks")));
  }
}

}  // namespace
}  // namespace hilum
