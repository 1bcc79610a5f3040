// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/overlap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hilum {
namespace {

v1::Overlap Of(const std::vector<double>& dice) {
  v1::Overlap overlap;
  overlap.set_cases(2 * dice.size());
  overlap.set_patients(dice.size());
  for (double x : dice) {
    const double iou = x / (2 - x);
    overlap.set_dice_sum(overlap.dice_sum() + x);
    overlap.set_dice_square_sum(overlap.dice_square_sum() + x * x);
    overlap.set_iou_sum(overlap.iou_sum() + iou);
    overlap.set_iou_square_sum(overlap.iou_square_sum() + iou * iou);
  }
  return overlap;
}

TEST(OverlapTest, MeanAndIntervalAreThoseOfThePatients) {
  const std::vector<double> dice = {0.91, 0.88, 0.96, 0.93};
  double mean = 0, squares = 0;
  for (double x : dice) mean += x / 4;
  for (double x : dice) squares += (x - mean) * (x - mean);
  const double half = 1.959963984540054 * std::sqrt(squares / 3 / 4);
  const PatientMean is = *MeanDice(Of(dice));
  EXPECT_NEAR(is.mean, mean, 1e-12);
  EXPECT_NEAR(is.interval95->low, mean - half, 1e-9);
  EXPECT_NEAR(is.interval95->high, mean + half, 1e-9);
  EXPECT_NEAR(MeanIou(Of({0.5, 1}))->mean, (1.0 / 3 + 1) / 2, 1e-12);
}

TEST(OverlapTest, IntervalStaysWithinZeroAndOne) {
  const PatientMean is = *MeanDice(Of({1, 0.4, 1}));
  EXPECT_EQ(is.interval95->high, 1);
  EXPECT_GT(is.interval95->low, 0);
  // A variance below 0 by rounding counts as 0.
  v1::Overlap same = Of({0.3, 0.3, 0.3});
  same.set_dice_square_sum(same.dice_square_sum() - 1e-9);
  EXPECT_EQ(MeanDice(same)->interval95->low, MeanDice(same)->mean);
}

TEST(OverlapTest, TooFewPatientsHaveNoInterval) {
  EXPECT_FALSE(MeanDice(v1::Overlap()).has_value());
  EXPECT_FALSE(ImplausibleShare(v1::Overlap()).has_value());
  EXPECT_EQ(MeanDice(Of({0.75}))->mean, 0.75);
  EXPECT_FALSE(MeanDice(Of({0.75}))->interval95.has_value());
}

TEST(OverlapTest, SumsOfSitesAreThatOfTheirPatients) {
  v1::Overlap sum = Of({0.8, 0.9});
  sum.set_implausible(1);
  v1::Overlap other = Of({0.7});
  other.set_implausible(2);
  AddOverlap(other, sum);
  EXPECT_EQ(sum.cases(), 6u);
  EXPECT_EQ(*ImplausibleShare(sum), 0.5);
  EXPECT_NEAR(MeanDice(sum)->mean, 0.8, 1e-12);
  EXPECT_NEAR(MeanDice(sum)->interval95->low,
              MeanDice(Of({0.8, 0.9, 0.7}))->interval95->low, 1e-9);
  EXPECT_NEAR(MeanIou(sum)->interval95->high,
              MeanIou(Of({0.8, 0.9, 0.7}))->interval95->high, 1e-9);
}

}  // namespace
}  // namespace hilum
