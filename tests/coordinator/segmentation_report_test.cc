// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/segmentation_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/report/model_card.h"

namespace hilum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(SegmentationReportTest, OverlapsStandInThePlaceOfScores) {
  Write({});
  EXPECT_EQ(report_["task"], "segmentation");
  const json& federated = arm_["federated"];
  const json& pooled = federated["pooled"];
  EXPECT_EQ(pooled["n"], 80);
  EXPECT_EQ(pooled["mean_loss"], 0.2);
  const json& all = pooled["overlap"]["all"];
  EXPECT_EQ(all["n_patients"], 40);
  EXPECT_EQ(all["n_cases"], 80);
  EXPECT_EQ(all["implausible"], 0.1);
  EXPECT_NEAR(all["dice"].get<double>(), 0.75, 1e-12);
  EXPECT_NEAR(all["iou"].get<double>(), 0.25, 1e-12);
  // 20 at 0.9 and 0.7 or 0.8 and 0.6: deviations of 0.15 and 0.05.
  const double half =
      1.959963984540054 * std::sqrt((20 * 0.0225 + 20 * 0.0025) / 39 / 40);
  EXPECT_NEAR(all["dice_ci95"][0].get<double>(), 0.75 - half, 1e-9);
  EXPECT_NEAR(all["dice_ci95"][1].get<double>(), 0.75 + half, 1e-9);
  EXPECT_EQ(all["iou_ci95"].size(), 2u);
  EXPECT_EQ(pooled["overlap"]["per_class"]["sick"]["n_patients"], 16);
  const json& site = federated["sites"]["b"]["overlap"]["all"];
  EXPECT_NEAR(site["dice"].get<double>(), 0.65, 1e-12);
  const json& fold = federated["tracks"]["fold-2"];
  EXPECT_EQ(fold["overlap"]["all"]["n_cases"], 40);
  EXPECT_EQ(fold["model_sha256"], "a2");
  EXPECT_EQ(federated["round_losses"], json({1.25}));
  for (const char* none : {"accuracy", "confusion", "macro", "localization"}) {
    EXPECT_FALSE(pooled.contains(none)) << none;
  }
  EXPECT_THAT(report_["conventions"]["ci95"].get<std::string>(),
              HasSubstr("normal over patients"));
  EXPECT_THAT(text_, Not(HasSubstr("DeLong")));
}

TEST_F(SegmentationReportTest, CardSaysThatTheModelsFindLungsAndHowWell) {
  federated_.model_rounds = {1, 1, 1};
  federated_.model_files = {{"model/whole-final.pth", "abc", 1}};
  Write({});
  const std::string card = ModelCard(federated_, text_).value();
  const json& all = arm_["federated"]["pooled"]["overlap"]["all"];
  for (const std::string& text :
       {std::string("They find the lungs on a frontal chest radiograph"),
        std::string("not for diagnosis"), std::string("`[n, 1, 128, 128]`"),
        std::string("hilum-trainer segment run"),
        std::string("binary cross-entropy and soft Dice"),
        absl::StrCat("| all | 40 | 80 | ", all["dice"].dump(), " [",
                     all["dice_ci95"][0].dump(), ", "),
        std::string("| `model/whole-final.pth` | 1 | `abc` |")}) {
    EXPECT_THAT(card, HasSubstr(text));
  }
  for (const char* none : {"AUC", "sensitivity", "softmax", "torchvision",
                           "class weights", "ogits in this order"}) {
    EXPECT_THAT(card, Not(HasSubstr(none)));
  }
}

}  // namespace
}  // namespace hilum
