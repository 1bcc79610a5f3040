// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/brier.h"

#include <gtest/gtest.h>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

TEST(BrierTest, CertificateBoundsWhatBinningChanges) {
  for (size_t bins : {16u, 128u, 4096u}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Rng rng(seed, "brier");
      DrawnScores drawn(bins);
      double exact = 0;
      for (int i = 0; i < 80; ++i) {
        const bool positive = i % 3 == 0;
        const double x = 6 * rng.Normal() + (positive ? 4 : -4);
        drawn.Add(positive, x);
        exact += std::pow(Logistic(x) - (positive ? 1 : 0), 2) / 80;
      }
      const BrierScore brier = *ComputeBrier(drawn.view());
      EXPECT_LE(std::abs(brier.value - exact), brier.error_bound);
      if (bins == 4096) {
        EXPECT_LT(brier.error_bound, 0.002);
      }
    }
  }
}

TEST(BrierTest, IntervalIsThatOfAMean) {
  const DrawnScores drawn = DrawScores(7, 30, 60, 2, 512);
  const BrierScore brier = *ComputeBrier(drawn.view());
  double mean = 0, squares = 0;
  for (const DrawnCase& one : drawn.cases) {
    mean += std::pow(drawn.Probability(one) - one.positive, 2) / 90;
  }
  for (const DrawnCase& one : drawn.cases) {
    const double at = std::pow(drawn.Probability(one) - one.positive, 2);
    squares += std::pow(at - mean, 2) / 89;
  }
  EXPECT_NEAR(brier.value, mean, 1e-12);
  EXPECT_NEAR(brier.interval95->high - mean, kZ95 * std::sqrt(squares / 90),
              1e-9);
  EXPECT_NEAR(brier.reference, 2.0 / 9, 1e-12);
  EXPECT_EQ(brier.num_cases, 90u);
}

TEST(BrierTest, PathologicalScores) {
  EXPECT_FALSE(ComputeBrier({{0, 0}, {0, 0}}).has_value());
  const auto one = ComputeBrier({{0, 1}, {0, 0}});
  EXPECT_LT(one->value, 1e-6);
  EXPECT_FALSE(one->interval95.has_value());
  // Saturated and wrong.
  DrawnScores wrong(4096);
  for (int i = 0; i < 10; ++i) wrong.Add(i < 5, i < 5 ? -99 : 99);
  EXPECT_NEAR(ComputeBrier(wrong.view())->value, 1, 1e-6);
  EXPECT_LE(ComputeBrier(wrong.view())->interval95->high, 1);
}

}  // namespace
}  // namespace hilum
