// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/youden_over_folds.h"

#include <gmock/gmock.h>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

TEST(YoudenOverFoldsTest, ThresholdComesFromTheOtherFoldsAlone) {
  std::vector<DrawnScores> folds;
  for (uint64_t f = 0; f < 3; ++f) {
    folds.push_back(DrawScores(f, 20, 30, 1.5, 256));
  }
  const auto views = [&] {
    std::vector<BinnedScores> views;
    for (const DrawnScores& fold : folds) views.push_back(fold.view());
    return views;
  };
  const auto before = ComputeYoudenOverFolds(views(), 10);
  DrawnScores others(256);
  for (size_t f : {0u, 2u}) {
    for (size_t b = 0; b < 256; ++b) {
      others.positives[b] += folds[f].positives[b];
      others.negatives[b] += folds[f].negatives[b];
    }
  }
  EXPECT_EQ(before->thresholds[1], YoudenThreshold(others.view()));
  // Other scores of fold 1 do not move its own threshold.
  folds[1] = DrawScores(99, 20, 30, -3, 256);
  const auto after = ComputeYoudenOverFolds(views(), 10);
  EXPECT_EQ(after->thresholds[1], before->thresholds[1]);
  EXPECT_NE(after->thresholds[0], before->thresholds[0]);
}

TEST(YoudenOverFoldsTest, EveryCaseIsCountedOnce) {
  const DrawnScores a = DrawScores(1, 20, 30, 1, 64);
  const DrawnScores b = DrawScores(2, 15, 40, 1, 64);
  const auto result = ComputeYoudenOverFolds({{a.view(), b.view()}}, 10);
  EXPECT_EQ(result->counts.true_positives + result->counts.false_negatives,
            35u);
  EXPECT_EQ(result->counts.true_negatives + result->counts.false_positives,
            70u);
}

TEST(YoudenOverFoldsTest, FoldsWithFewCasesChooseNothing) {
  const DrawnScores few = DrawScores(1, 9, 30, 1, 64);
  const DrawnScores many = DrawScores(2, 15, 40, 1, 64);
  const auto result = ComputeYoudenOverFolds({{few.view(), many.view()}}, 10);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->thresholds[0].has_value());
  EXPECT_FALSE(result->thresholds[1].has_value());
  EXPECT_EQ(result->counts.true_positives + result->counts.false_negatives, 9u);
  EXPECT_FALSE(
      ComputeYoudenOverFolds({{few.view(), few.view()}}, 10).has_value());
  EXPECT_FALSE(ComputeYoudenOverFolds({}, 10).has_value());
}

TEST(YoudenOverFoldsTest, WithheldFoldIsPassedOver) {
  const DrawnScores withheld(64);
  const DrawnScores a = DrawScores(1, 20, 30, 1, 64);
  const DrawnScores b = DrawScores(2, 15, 40, 1, 64);
  const auto two = ComputeYoudenOverFolds({{a.view(), b.view()}}, 10);
  const auto three =
      ComputeYoudenOverFolds({{a.view(), withheld.view(), b.view()}}, 10);
  EXPECT_THAT(three->thresholds,
              testing::ElementsAre(two->thresholds[0], std::nullopt,
                                   two->thresholds[1]));
  EXPECT_EQ(three->counts.true_positives, two->counts.true_positives);
}

}  // namespace
}  // namespace hilum
