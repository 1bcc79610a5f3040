// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/lung_masks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/images_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using LungMasksTest = ImagesReportTest;

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
  // Only the cases with a mask are in a census of segmentation.
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

TEST_F(LungMasksTest, RejectedMasksAreShownByClass) {
  Write({});
  // By class it is not known here how many there were: the study has no arm
  // with masks only.
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

TEST_F(LungMasksTest, NoMasksAreSpokenOfWhereNoneWereOpened) {
  study_.mutable_evaluation()->set_localization(false);
  federated_.study = study_;
  Write({});
  EXPECT_FALSE(report_["cohort"].contains("masks"));
  EXPECT_THAT(html_, Not(HasSubstr("Lung masks")));
}

}  // namespace
}  // namespace hilum
