// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/report_json.h"

#include <gmock/gmock.h>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using testing::HasSubstr;

using ReportJsonTest = ReportTest;

TEST_F(ReportJsonTest, RoundNamesWhoseUpdateCountedAndWithHowManyCases) {
  TrainOnly({40, 40, 80});
  Write({});
  const json& round = report_["rounds"][0];
  EXPECT_EQ(round["sites"], json({"a"}));  // b contributed nothing
  EXPECT_EQ(round["site_examples"], json({{"a", 160}}));
  EXPECT_EQ(round["examples"]["whole"],
            json({{"fold-1", 40}, {"fold-2", 40}, {"final", 80}}));
  EXPECT_EQ(report_["untrained"], json::object());
  EXPECT_EQ(report_["warnings"], json::array());
  EXPECT_EQ(arm_["federated"]["tracks"]["fold-1"]["trained"], true);
}

TEST_F(ReportJsonTest, UntrainedTrackHasNeitherFigureNorModel) {
  TrainOnly({0, 40, 80});
  Write({});
  EXPECT_EQ(report_["untrained"], json({{"whole", {"fold-1"}}}));
  EXPECT_THAT(report_["warnings"][0].get<std::string>(),
              HasSubstr("whole-fold-1"));
  const json& federated = arm_["federated"];
  const json& fold = federated["tracks"]["fold-1"];
  EXPECT_EQ(fold["trained"], false);
  EXPECT_TRUE(fold["model_sha256"].is_null());
  EXPECT_EQ(fold["n"], 0);
  EXPECT_TRUE(fold["macro"]["auc"].is_null());
  EXPECT_EQ(federated["pooled"]["n"], 0);
  EXPECT_TRUE(federated["pooled"]["macro"]["auc"].is_null());
  EXPECT_TRUE(federated["pooled"]["accuracy"].is_null());
  EXPECT_EQ(federated["tracks"]["fold-2"]["accuracy"], 0.9);
}

TEST_F(ReportJsonTest, WhereEveryUpdateWasWithheldNoSiteContributed) {
  TrainOnly({0, 0, 0});
  Write({});
  EXPECT_EQ(report_["rounds"][0]["sites"], json::array());
  EXPECT_FALSE(report_["rounds"][0].contains("site_examples"));
  EXPECT_EQ(report_["untrained"]["whole"], json({"fold-1", "fold-2", "final"}));
}

}  // namespace
}  // namespace hilum
