// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/partial_auc.h"

#include <gtest/gtest.h>

#include "common/metrics/binned_roc.h"
#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

TEST(PartialAucTest, OverTheWholeCurveIsTheAuc) {
  const DrawnScores drawn = DrawScores(1, 30, 40, 1.3, 128);
  const double auc = ComputeBinnedAuc(drawn.positives, drawn.negatives)->auc;
  EXPECT_NEAR(*PartialAucAtSpecificity(drawn.view(), 0), auc, 1e-12);
  EXPECT_NEAR(*PartialAucAtSensitivity(drawn.view(), 0), auc, 1e-12);
}

TEST(PartialAucTest, ChanceIsOneHalfAndPerfectOrderIsOne) {
  EXPECT_NEAR(*PartialAucAtSpecificity({{0, 4}, {0, 12}}, 0.9), 0.5, 1e-12);
  EXPECT_NEAR(*PartialAucAtSensitivity({{0, 4}, {0, 12}}, 0.9), 0.5, 1e-12);
  EXPECT_NEAR(*PartialAucAtSpecificity({{0, 4}, {12, 0}}, 0.9), 1, 1e-12);
  EXPECT_NEAR(*PartialAucAtSensitivity({{0, 4}, {12, 0}}, 0.9), 1, 1e-12);
}

// The curve: (0, 0), (0, .5), (.5, .5), (.5, 1), (1, 1).
TEST(PartialAucTest, HandWorkedCurveIsCutAtTheLimit) {
  const std::vector<uint64_t> p = {0, 5, 0, 5}, n = {5, 0, 5, 0};
  // Up to x = 0.2: 0.1 of at most 0.2, by chance 0.02.
  EXPECT_NEAR(*PartialAucAtSpecificity({p, n}, 0.8),
              (1 + (0.1 - 0.02) / (0.2 - 0.02)) / 2, 1e-12);
  // Sensitivity from 0.8 on needs a specificity of 0.5.
  EXPECT_NEAR(*PartialAucAtSensitivity({p, n}, 0.8),
              (1 + (0.1 - 0.02) / (0.2 - 0.02)) / 2, 1e-12);
  EXPECT_FALSE(PartialAucAtSpecificity({{0, 0}, {1, 1}}, 0.9).has_value());
}

}  // namespace
}  // namespace hilum
