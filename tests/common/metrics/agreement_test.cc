// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hilum {
namespace {

Confusion TableOf(const std::vector<std::vector<uint64_t>>& rows) {
  Confusion table(static_cast<int>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < rows.size(); ++j) {
      table.Add(static_cast<int>(i), static_cast<int>(j), rows[i][j]);
    }
  }
  return table;
}

double KappaOf(const std::vector<double>& shares, size_t classes) {
  double agree = 0, chance = 0;
  for (size_t i = 0; i < classes; ++i) {
    double row = 0, column = 0;
    agree += shares[i * classes + i];
    for (size_t j = 0; j < classes; ++j) {
      row += shares[i * classes + j];
      column += shares[j * classes + i];
    }
    chance += row * column;
  }
  return (agree - chance) / (1 - chance);
}

// Fleiss, Levin, Paik 2003, table 18.3: kappa 0.68.
TEST(CohensKappaTest, OfAPublishedTable) {
  const auto kappa = CohensKappa(TableOf({{75, 1, 4}, {5, 4, 1}, {0, 0, 10}}));
  EXPECT_NEAR(kappa->value, 0.676, 0.001);
}

// The delta method with numerical derivatives over the multinomial covariance.
TEST(CohensKappaTest, IntervalIsThatOfTheDeltaMethod) {
  const std::vector<std::vector<uint64_t>> rows = {
      {30, 5, 2}, {4, 25, 9}, {1, 8, 40}};
  const auto kappa = CohensKappa(TableOf(rows));
  std::vector<double> shares, gradient;
  for (const auto& row : rows) {
    for (uint64_t count : row) shares.push_back(double(count) / 124);
  }
  double mean = 0, square = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    std::vector<double> up = shares, down = shares;
    up[i] += 1e-6;
    down[i] -= 1e-6;
    const double d = (KappaOf(up, 3) - KappaOf(down, 3)) / 2e-6;
    mean += shares[i] * d;
    square += shares[i] * d * d;
  }
  const double error = std::sqrt((square - mean * mean) / 124);
  EXPECT_NEAR(kappa->interval95->high - kappa->value, kZ95 * error, 1e-6);
  EXPECT_NEAR(kappa->value, KappaOf(shares, 3), 1e-12);
}

TEST(CohensKappaTest, PathologicalTables) {
  EXPECT_FALSE(CohensKappa(Confusion(3)).has_value());
  // One class alone, always found: nothing is above chance.
  EXPECT_FALSE(CohensKappa(TableOf({{7, 0}, {0, 0}})).has_value());
  const auto perfect = CohensKappa(TableOf({{7, 0}, {0, 5}}));
  EXPECT_DOUBLE_EQ(perfect->value, 1);
  EXPECT_FALSE(perfect->interval95.has_value());
  // Always the same guess.
  EXPECT_NEAR(CohensKappa(TableOf({{7, 0}, {5, 0}}))->value, 0, 1e-12);
  EXPECT_NEAR(CohensKappa(TableOf({{0, 6}, {6, 0}}))->value, -1, 1e-12);
}

TEST(BalancedAccuracyTest, EachClassCountsTheSame) {
  const auto balanced = BalancedAccuracy(TableOf({{90, 10}, {5, 5}}));
  EXPECT_DOUBLE_EQ(balanced->value, 0.7);
  // The small class makes it wide; Wilson of 5 of 10 is [0.237, 0.763].
  EXPECT_NEAR(
      balanced->interval95->low,
      0.7 -
          std::sqrt(std::pow(0.9 - 0.8256, 2) + std::pow(0.5 - 0.2366, 2)) / 2,
      1e-3);
}

TEST(BalancedAccuracyTest, ClassWithoutCasesIsPassedOver) {
  EXPECT_FALSE(BalancedAccuracy(Confusion(2)).has_value());
  EXPECT_DOUBLE_EQ(BalancedAccuracy(TableOf({{8, 2}, {0, 0}}))->value, 0.8);
}

}  // namespace
}  // namespace hilum
