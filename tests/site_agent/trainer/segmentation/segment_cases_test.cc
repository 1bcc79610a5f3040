// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segment_cases.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/segmentation/overlap.h"

namespace hilum {
namespace {

TEST(OverlapTest, DiceAndIouByHand) {
  const BinaryMask a{1, 4, {1, 1, 0, 0}}, b{1, 4, {0, 1, 1, 1}};
  EXPECT_DOUBLE_EQ(OverlapOf(a, b).dice, 0.4);
  EXPECT_DOUBLE_EQ(OverlapOf(a, b).iou, 0.25);
  const BinaryMask none{1, 4, {0, 0, 0, 0}};
  EXPECT_EQ(OverlapOf(none, none).dice, 1);
  EXPECT_EQ(OverlapOf(a, none).dice, 0);
}

// "old" has two cases of class 0 and one of class 1, "new" one of class 0.
TEST(OverlapTest, PatientsCountAndNotTheirCases) {
  OverlapSums sums(2);
  sums.Add(0, "old", {.dice = 1, .iou = 1}, false);
  sums.Add(0, "old", {.dice = 0.5, .iou = 0.25}, true);
  sums.Add(1, "old", {.dice = 0, .iou = 0}, true);
  sums.Add(0, "new", {.dice = 0.25, .iou = 0.125}, false);
  const std::vector<v1::Overlap> found = sums.Sums();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].cases(), 3u);
  EXPECT_EQ(found[0].patients(), 2u);
  EXPECT_EQ(found[0].implausible(), 1u);
  EXPECT_DOUBLE_EQ(found[0].dice_sum(), 0.75 + 0.25);
  EXPECT_DOUBLE_EQ(found[0].dice_square_sum(), 0.5625 + 0.0625);
  EXPECT_DOUBLE_EQ(found[0].iou_sum(), 0.625 + 0.125);
  EXPECT_DOUBLE_EQ(found[0].iou_square_sum(), 0.390625 + 0.015625);
  EXPECT_EQ(found[1].cases(), 1u);
  EXPECT_EQ(found[1].patients(), 1u);
  EXPECT_EQ(found[2].cases(), 4u);
  EXPECT_EQ(found[2].patients(), 2u);
  EXPECT_EQ(found[2].implausible(), 2u);
  EXPECT_DOUBLE_EQ(found[2].dice_sum(), 0.5 + 0.25);
}

// Means of 400 values of one patient each are normal within a few percent.
TEST(OverlapTest, TheBootstrapDrawsPatientsAndNotCases) {
  std::vector<double> values;
  std::vector<std::string> alone, quadruple;
  Rng noise(3, "values");
  for (int i = 0; i < 100; ++i) {
    const double value = noise.Normal();
    for (int k = 0; k < 4; ++k) {
      values.push_back(value);
      alone.push_back(absl::StrCat(i, "-", k));
      quadruple.push_back(absl::StrCat(i));
    }
  }
  Rng rng(1, "bootstrap");
  const MeanInterval by_case = PatientBootstrap(values, alone, rng);
  const MeanInterval by_patient = PatientBootstrap(values, quadruple, rng);
  EXPECT_DOUBLE_EQ(by_case.mean, by_patient.mean);
  EXPECT_NEAR(by_case.high - by_case.low, 2 * 1.96 / 20, 0.04);
  EXPECT_NEAR(by_patient.high - by_patient.low, 2 * 1.96 / 10, 0.08);
}

TEST(SegmentCasesTest, HoldingOutIsByPatientAndSeed) {
  int held = 0, differs = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string patient = absl::StrCat("p", i);
    held += IsHeldOut(patient, 0.2, 1);
    differs += IsHeldOut(patient, 0.2, 1) != IsHeldOut(patient, 0.2, 2);
    EXPECT_FALSE(IsHeldOut(patient, 0, 1));
  }
  EXPECT_NEAR(held, 400, 90);  // five standard deviations
  EXPECT_GT(differs, 400);
}

TEST(SegmentCasesTest, RowsThatCannotBeUsedAreNamed) {
  const std::string folder = absl::StrCat(testing::TempDir(), "/segment_cases");
  ASSERT_TRUE(MakeDirectories(folder).ok());
  const auto write = [&](const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteFileAtomically(absl::StrCat(folder, "/", name), bytes,
                                    Durability::kNone)
                    .ok());
  };
  write("a.png", *EncodePng8(2, 2, std::vector<uint8_t>{0, 80, 160, 255}));
  write("m.png", *EncodePng8(4, 4, std::vector<uint8_t>(16, 255)));
  write("bad.png", "no picture");
  write("cases.csv",
        "file,label,patient_id,mask\na.png,x,1,m.png\na.png,,2,\n"
        "a.png,y,3,bad.png\nbad.png,y,4,m.png\n");
  const auto read = ReadAnyManifest(absl::StrCat(folder, "/cases.csv"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->labels, (std::vector<std::string>{"", "x", "y"}));
  const SegmentCases cases = LoadSegmentCases(read->manifest, 32, 2);
  ASSERT_EQ(cases.cases.size(), 1u);
  EXPECT_EQ(cases.cases[0].mask, MaskPlane(32 * 32, 255));
  ASSERT_EQ(cases.rejected.size(), 2u);
  EXPECT_EQ(cases.rejected[0].row, 4);
  EXPECT_NE(cases.rejected[0].reason.find("lung mask"), std::string::npos);
  EXPECT_EQ(cases.rejected[1].row, 5);
}

}  // namespace
}  // namespace hilum
