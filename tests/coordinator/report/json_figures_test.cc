// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/json_figures.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using nlohmann::json;

using JsonFiguresTest = ReportTest;

TEST_F(JsonFiguresTest, EachFigureHasItsCasesAndItsInterval) {
  Write({});
  const json& pooled = arm_["federated"]["pooled"];
  const json& sick = pooled["per_class"]["sick"];
  EXPECT_EQ(sick["scored"], json({{"n_positive", 40}, {"n_negative", 40}}));
  EXPECT_EQ(sick["ci95_method"], "delong_logit");
  EXPECT_NEAR(sick["auc_fold_mean"].get<double>(), 0.9, 1e-12);
  EXPECT_EQ(sick["auc_fold_mean_folds"], 2);
  EXPECT_EQ(sick["youden"]["n_positive"], 40);
  EXPECT_EQ(sick["youden"]["thresholds"]["fold-2"], 0.5);
  EXPECT_EQ(sick["operating_points"]["specificity_0.9"]["sensitivity"], 0.9);
  for (const json& interval :
       {sick["ci95"], sick["sensitivity_ci95"], sick["specificity_ci95"],
        sick["auc_fold_mean_ci95"], sick["average_precision"]["ci95"],
        sick["youden"]["index_ci95"], sick["youden"]["sensitivity_ci95"],
        sick["calibration"]["brier_ci95"], sick["calibration"]["slope_ci95"],
        sick["calibration"]["intercept_ci95"], pooled["balanced_accuracy_ci95"],
        pooled["kappa_ci95"]}) {
    ASSERT_EQ(interval.size(), 2u) << sick.dump(2);
    EXPECT_LT(interval[0].get<double>(), interval[1].get<double>());
  }
  EXPECT_NEAR(pooled["balanced_accuracy"].get<double>(), 0.9, 1e-12);
  EXPECT_NEAR(pooled["kappa"].get<double>(), 0.8, 1e-12);
  EXPECT_NEAR(pooled["macro"]["auc_prevalence_weighted"].get<double>(), 0.9,
              1e-12);
  // A site and a fold have nothing over folds.
  EXPECT_FALSE(arm_["federated"]["sites"]["a"]["per_class"]["sick"].contains(
      "auc_fold_mean"));
  EXPECT_FALSE(
      arm_["federated"]["tracks"]["fold-1"]["macro"].contains("auc_fold_mean"));
}

TEST_F(JsonFiguresTest, PrimaryAucIsTheStudysChoice) {
  Write({});
  json primary = arm_["federated"]["pooled"]["primary"];
  EXPECT_EQ(primary["auc"], "pooled");
  EXPECT_EQ(primary["per_class"]["sick"]["ci95"],
            arm_["federated"]["pooled"]["per_class"]["sick"]["ci95"]);
  study_.mutable_evaluation()->set_primary(v1::Evaluation::PRIMARY_FOLD_MEAN);
  federated_ = Result({{SiteId("a"), 9}, {SiteId("b"), 9}});
  Write({});
  primary = arm_["federated"]["pooled"]["primary"];
  EXPECT_EQ(primary["auc"], "fold_mean");
  EXPECT_EQ(
      primary["per_class"]["sick"]["ci95"],
      arm_["federated"]["pooled"]["per_class"]["sick"]["auc_fold_mean_ci95"]);
  EXPECT_EQ(primary["macro"],
            arm_["federated"]["pooled"]["macro"]["auc_fold_mean"]);
  EXPECT_NE(html_.find("mean of folds, primary"), std::string::npos);
}

TEST_F(JsonFiguresTest, FiguresWithoutCasesAreNullAndNotZero) {
  TrainOnly({0, 0, 0});
  Write({});
  const json& pooled = arm_["federated"]["pooled"];
  const json& sick = pooled["per_class"]["sick"];
  for (const char* key :
       {"average_precision", "operating_points", "calibration", "auc_fold_mean",
        "youden", "sensitivity_ci95"}) {
    EXPECT_TRUE(sick[key].is_null()) << key;
  }
  EXPECT_TRUE(pooled["kappa"].is_null());
  EXPECT_TRUE(pooled["balanced_accuracy"].is_null());
  EXPECT_TRUE(pooled["macro"]["auc_fold_mean"].is_null());
  EXPECT_TRUE(pooled["primary"]["macro"].is_null());
  EXPECT_EQ(sick["partial_auc"]["specificity_0.9"], nullptr);
}

TEST(JsonFiguresValueTest, WhatIsNoNumberIsNull) {
  EXPECT_TRUE(NumberJson(std::nullopt).is_null());
  EXPECT_TRUE(NumberJson(std::nan("")).is_null());
  EXPECT_TRUE(IntervalJson(std::nullopt).is_null());
  EXPECT_EQ(IntervalJson(Interval{0.25, 0.5}), json({0.25, 0.5}));
}

}  // namespace
}  // namespace hilum
