// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_census.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/secure_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using HtmlCensusTest = SecureReportTest;

TEST_F(HtmlCensusTest, ThePageSaysWhatIsNotKnownAndWhy) {
  Write({});
  EXPECT_THAT(html_, HasSubstr("3 sites, 2 rounds"));
  EXPECT_THAT(html_, HasSubstr("secure aggregation: on"));
  EXPECT_THAT(html_, HasSubstr("<b>cohort</b></td><td>60</td><td>60</td>"
                               "<td>3</td><td>6 of 150"));
  EXPECT_THAT(html_, HasSubstr("The figures of a, b are not known to the "
                               "coordinator: with secure aggregation it saw "
                               "sums over 3 sites only."));
  EXPECT_THAT(html_, HasSubstr("<td>c</td>"));
  EXPECT_THAT(html_, Not(HasSubstr("<td>a</td>")));
}

TEST_F(HtmlCensusTest, WhereNobodyPublishesNoSiteIsNamed) {
  federated_.census.clear();
  federated_.evaluations.clear();
  Write({});
  EXPECT_EQ(report_["census"], json::object());
  EXPECT_EQ(arm_["federated"]["sites"], json::object());
  EXPECT_EQ(arm_["federated"]["pooled"]["n"], 120);
  EXPECT_THAT(html_, HasSubstr("The figures of single sites are not known"));
  EXPECT_THAT(html_, Not(HasSubstr("<td>c</td>")));
}

TEST_F(HtmlCensusTest, AClassOfOneSiteIsWarnedOfWhereItCanBeSeen) {
  std::map<SiteId, v1::SubmitCensusRequest> census = {
      {a_, Census(1, 10)}, {b_, Census(1, 10)}, {c_, Census(18, 10)}};
  federated_.census_totals = SumCensus(study_, census);
  federated_.census[c_] = census[c_];
  Write({});
  EXPECT_THAT(html_, HasSubstr("nine in ten cases of <b>sick</b>"));
  federated_.census.clear();
  Write({});
  EXPECT_THAT(html_, Not(HasSubstr("nine in ten")));
  EXPECT_THAT(html_, HasSubstr("cannot be seen either"));
}

// Names of sites and classes come from a study's file.
TEST_F(HtmlCensusTest, NamesAreShownAsText) {
  google::protobuf::RepeatedPtrField<std::string> summed;
  *summed.Add() = "<b>";
  *summed.Add() = "c";
  const std::string html =
      NotKnownHtml(summed, [](const std::string& site) { return site == "c"; });
  EXPECT_THAT(html, HasSubstr("The figures of &lt;b&gt; are not known"));
  EXPECT_EQ(NotKnownHtml(summed, [](const std::string&) { return true; }), "");
}

}  // namespace
}  // namespace hilum
