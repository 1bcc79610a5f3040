// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/confusion.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(ConfusionTest, MetricsOfAHandWorkedTable) {
  Confusion table(3);
  table.Add(0, 0, 8);
  table.Add(0, 1, 2);
  table.Add(1, 0, 1);
  table.Add(1, 1, 9);
  EXPECT_DOUBLE_EQ(*table.Accuracy(), 17.0 / 20);
  EXPECT_DOUBLE_EQ(*table.Sensitivity(0), 0.8);
  EXPECT_DOUBLE_EQ(*table.Specificity(0), 0.9);
  EXPECT_FALSE(table.Sensitivity(2).has_value());
  EXPECT_DOUBLE_EQ(*table.Specificity(2), 1);
  EXPECT_DOUBLE_EQ(*MeanOfPresent({table.Sensitivity(0), table.Sensitivity(1),
                                   table.Sensitivity(2)}),
                   0.85);
  // Wilson 1927 for 17 of 20.
  EXPECT_NEAR(table.AccuracyInterval95()->low, 0.6396, 5e-4);
  EXPECT_NEAR(table.AccuracyInterval95()->high, 0.9476, 5e-4);
}

// Rows are the truth: turned, sensitivity would be precision.
TEST(ConfusionTest, RowsAreTheTruthAndColumnsThePrediction) {
  Confusion table(2);
  table.Add(0, 1, 3);
  table.Add(1, 1, 1);
  EXPECT_EQ(table.count(0, 1), 3u);
  EXPECT_EQ(table.RowSum(0), 3u);
  EXPECT_EQ(table.RowSum(1), 1u);
  EXPECT_EQ(*table.Sensitivity(1), 1);
  EXPECT_EQ(*table.Specificity(1), 0);
}

TEST(ConfusionTest, TablesAddUpCellByCell) {
  Confusion sum(2), other(2);
  sum.Add(0, 0, 1);
  other.Add(0, 0, 2);
  other.Add(1, 0, 4);
  sum.Add(other);
  EXPECT_EQ(sum.count(0, 0), 3u);
  EXPECT_EQ(sum.count(1, 0), 4u);
  EXPECT_EQ(sum.Total(), 7u);
}

TEST(ConfusionTest, MetricsWithoutCasesAreAbsentAndNotZero) {
  const Confusion none(2);
  EXPECT_FALSE(none.Accuracy().has_value());
  EXPECT_FALSE(none.AccuracyInterval95().has_value());
  EXPECT_FALSE(none.Specificity(0).has_value());
  EXPECT_FALSE(MeanOfPresent({std::nullopt, std::nullopt}).has_value());
  EXPECT_EQ(*MeanOfPresent({std::nullopt, 0.5}), 0.5);
}

}  // namespace
}  // namespace hilum
