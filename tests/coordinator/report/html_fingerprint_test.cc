// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/images_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using HtmlFingerprintTest = ImagesReportTest;

TEST_F(HtmlFingerprintTest, FingerprintIsOfEachKnownSiteAndOfTheCohort) {
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

TEST_F(HtmlFingerprintTest, SiteWhoseGraysAreOtherThanTheRestIsWarnedOf) {
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

TEST_F(HtmlFingerprintTest, SiteWhoseLungsTakeMoreOfTheImageIsWarnedOf) {
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

TEST_F(HtmlFingerprintTest,
       SiteUnderSecureAggregationIsToldHowToCompareItsOwn) {
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

// The database has it so, where it was summed by the coordinator or under
// masks.
TEST_F(HtmlFingerprintTest, StudyOfBeforeProtocolFiveSaysNothingOfThem) {
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
