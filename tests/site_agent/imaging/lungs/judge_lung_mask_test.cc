// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/site_agent/imaging/lungs/drawn_lungs.h"

namespace hilum {
namespace {

LungMaskFault FaultOf(const BinaryMask& mask) {
  return JudgeLungMask(mask).fault;
}

TEST(JudgeLungMaskTest, LungsAreAcceptedAndEachFaultIsNamed) {
  EXPECT_EQ(JudgeLungMask(Lungs()).reason, "");
  EXPECT_EQ(FaultOf(Empty()), LungMaskFault::kNoLung);
  EXPECT_EQ(FaultOf({}), LungMaskFault::kNoLung);
  BinaryMask bad = Lungs();
  Fill(bad, {60, 30, 60, 30}, 0);
  EXPECT_EQ(FaultOf(bad), LungMaskFault::kOneLung);
  bad = Lungs();
  Fill(bad, {75, 25, 25, 22}, 0);
  EXPECT_EQ(FaultOf(bad), LungMaskFault::kBalance) << JudgeLungMask(bad).reason;
  bad = Lungs();
  Fill(bad, {75, 113, 3, 3});
  EXPECT_EQ(FaultOf(bad), LungMaskFault::kNone) << JudgeLungMask(bad).reason;
  for (int row : {30, 45, 60, 75}) {
    for (int column : {7, 112}) Fill(bad, {1.0 * row, 1.0 * column, 4, 4});
  }
  EXPECT_EQ(FaultOf(bad), LungMaskFault::kIslands);
  bad = Lungs();
  for (int side : {-1, 1}) Fill(bad, {60, 59.5 + side * 24, 5, 5}, 0);
  EXPECT_EQ(FaultOf(bad), LungMaskFault::kHoles);
  bad = Lungs();
  std::rotate(bad.pixels.begin(), bad.pixels.end() - 16, bad.pixels.end());
  EXPECT_EQ(FaultOf(bad), LungMaskFault::kPlace);
}

TEST(JudgeLungMaskTest, UpsideDownIsAFaultOfShape) {
  BinaryMask turned = Lungs();
  std::reverse(turned.pixels.begin(), turned.pixels.end());
  EXPECT_EQ(FaultOf(turned), LungMaskFault::kShape);
}

TEST(JudgeLungMaskTest, MeasuresAreOfTheDrawnLungs) {
  const LungMeasures measures = MeasureLungMask(Lungs());
  EXPECT_EQ(measures.lungs, 2);
  EXPECT_NEAR(measures.balance, 1, 0.01);
  EXPECT_NEAR(measures.column, 0.5, 0.01);
  EXPECT_NEAR(measures.tilt, 0, 0.01);
  EXPECT_EQ(measures.holes, 0);
  EXPECT_EQ(measures.islands, 0);
  EXPECT_EQ(measures.border, 0);
}

TEST(JudgeLungMaskTest, AMaskWithBlackAndWhiteSwappedLooksInverted) {
  BinaryMask inverted = Lungs();
  for (uint8_t& pixel : inverted.pixels) pixel = pixel == 0;
  EXPECT_TRUE(LooksInverted(inverted));
  EXPECT_FALSE(LooksInverted(Lungs()));
  EXPECT_FALSE(LooksInverted(Empty()));
}

TEST(JudgeLungMaskTest, EveryFaultHasANameOfItsOwn) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(LungMaskFault::kBorder); ++i) {
    names.insert(std::string(FaultName(static_cast<LungMaskFault>(i))));
  }
  EXPECT_EQ(names.size(), 10u);
  EXPECT_EQ(FaultName(LungMaskFault::kNone), "accepted");
}

}  // namespace
}  // namespace hilum
