// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/binned_roc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/base/rng.h"

namespace hilum {
namespace {

struct Scores {
  std::vector<double> positives;
  std::vector<double> negatives;
};

Scores Draw(uint64_t seed, int positives, int negatives) {
  Rng rng(seed, "scores");
  Scores scores;
  for (int i = 0; i < positives; ++i) {
    scores.positives.push_back(rng.Normal() + 1);
  }
  for (int i = 0; i < negatives; ++i) scores.negatives.push_back(rng.Normal());
  return scores;
}

std::vector<uint64_t> Bin(const std::vector<double>& scores, int bins) {
  std::vector<uint64_t> counts(static_cast<size_t>(bins));
  for (double score : scores) {
    int bin = static_cast<int>(std::floor((score + 8) / 16 * bins));
    ++counts[static_cast<size_t>(std::clamp(bin, 0, bins - 1))];
  }
  return counts;
}

// AUC over all pairs, and DeLong's variance by its definition.
struct Reference {
  double auc = 0;
  double variance = 0;
};
double Psi(double x, double y) { return x > y ? 1 : x == y ? 0.5 : 0; }
Reference ByPairs(const Scores& scores) {
  size_t m = scores.positives.size();
  size_t n = scores.negatives.size();
  std::vector<double> v10(m), v01(n);
  Reference reference;
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      double psi = Psi(scores.positives[i], scores.negatives[j]);
      v10[i] += psi / n;
      v01[j] += psi / m;
      reference.auc += psi / (m * n);
    }
  }
  double s10 = 0, s01 = 0;
  for (double v : v10) s10 += std::pow(v - reference.auc, 2) / (m - 1);
  for (double v : v01) s01 += std::pow(v - reference.auc, 2) / (n - 1);
  reference.variance = s10 / m + s01 / n;
  return reference;
}

TEST(BinnedAucTest, CertificateBoundsTheErrorAgainstAllPairs) {
  for (int bins : {4, 16, 256}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Scores scores = Draw(seed, 40, 70);
      auto auc = ComputeBinnedAuc(Bin(scores.positives, bins),
                                  Bin(scores.negatives, bins));
      ASSERT_TRUE(auc.has_value());
      EXPECT_LE(std::abs(auc->auc - ByPairs(scores).auc),
                auc->error_bound + 1e-12);
    }
  }
}

TEST(BinnedAucTest, IntervalIsDeLongsWhereEachBinIsOneScore) {
  Scores scores = Draw(3, 30, 50);
  // The scores lie in the middle of bins, so binning loses nothing.
  for (auto* side : {&scores.positives, &scores.negatives}) {
    for (double& score : *side) {
      score = std::floor((score + 8) / 16 * 64) / 64 * 16 - 8 + 0.125;
    }
  }
  Reference reference = ByPairs(scores);
  auto auc =
      ComputeBinnedAuc(Bin(scores.positives, 64), Bin(scores.negatives, 64));
  ASSERT_TRUE(auc && auc->interval95);
  EXPECT_NEAR(auc->auc, reference.auc, 1e-12);
  double logit = std::log(reference.auc / (1 - reference.auc));
  double half = 1.959963984540054 * std::sqrt(reference.variance) /
                (reference.auc * (1 - reference.auc));
  EXPECT_NEAR(auc->interval95->low, 1 / (1 + std::exp(half - logit)), 1e-9);
  EXPECT_NEAR(auc->interval95->high, 1 / (1 + std::exp(-half - logit)), 1e-9);
}

TEST(BinnedAucTest, AbsentWithoutBothKinds) {
  EXPECT_FALSE(ComputeBinnedAuc({0, 0}, {3, 1}).has_value());
  EXPECT_FALSE(ComputeBinnedAuc({1, 2}, {0, 0}).has_value());
  EXPECT_TRUE(BinnedRocCurve({0, 0}, {3, 1}).empty());
}

// DeLong's variance is 0 there, whose interval would have no length.
TEST(BinnedAucTest, PerfectReversedAndEqualScoresHaveNewcombesInterval) {
  auto perfect = ComputeBinnedAuc({0, 5}, {5, 0});
  EXPECT_EQ(perfect->auc, 1);
  EXPECT_EQ(*perfect->variance, 0);
  EXPECT_TRUE(perfect->HasNewcombeInterval());
  EXPECT_EQ(perfect->interval95->high, 1);
  EXPECT_LT(perfect->interval95->low, 0.8);
  auto reversed = ComputeBinnedAuc({5, 0}, {0, 5});
  EXPECT_EQ(reversed->auc, 0);
  EXPECT_EQ(reversed->interval95->low, 0);
  auto equal = ComputeBinnedAuc({0, 20, 0}, {0, 7, 0});
  EXPECT_EQ(equal->auc, 0.5);
  EXPECT_LT(equal->interval95->low, 0.4);
  EXPECT_GT(equal->interval95->high, 0.6);
  EXPECT_FALSE(ComputeBinnedAuc({2, 5}, {5, 2})->HasNewcombeInterval());
}

TEST(BinnedAucTest, OnePositiveHasNoInterval) {
  for (const auto& one :
       {ComputeBinnedAuc({0, 1}, {5, 0}), ComputeBinnedAuc({0, 1}, {4, 1})}) {
    EXPECT_FALSE(one->variance.has_value());
    EXPECT_FALSE(one->interval95.has_value());
  }
}

// The most cases that a study can have: a single wrong pair still counts.
TEST(BinnedAucTest, OneWrongPairOfAMillionCasesHasDeLongsInterval) {
  const uint64_t many = 500'000;
  auto auc = ComputeBinnedAuc({1, 0, many - 1}, {many - 1, 1, 0});
  EXPECT_FALSE(auc->HasNewcombeInterval());
  EXPECT_GT(auc->interval95->high, auc->auc);
}

TEST(BinnedRocCurveTest, ItsTrapezoidsAreTheAuc) {
  Scores scores = Draw(9, 25, 35);
  auto p = Bin(scores.positives, 32), n = Bin(scores.negatives, 32);
  double area = 0;
  auto curve = BinnedRocCurve(p, n);
  for (size_t i = 1; i < curve.size(); ++i) {
    area += (curve[i].false_positive_rate - curve[i - 1].false_positive_rate) *
            (curve[i].true_positive_rate + curve[i - 1].true_positive_rate) / 2;
  }
  EXPECT_NEAR(area, ComputeBinnedAuc(p, n)->auc, 1e-12);
}

}  // namespace
}  // namespace hilum
