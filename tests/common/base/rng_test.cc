// SPDX-License-Identifier: Apache-2.0
#include "common/base/rng.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(RngTest, SameSeedAndStreamRepeatAndOtherStreamsDiffer) {
  Rng a(7, "x"), b(7, "x"), c(7, "y"), d(8, "x");
  uint64_t first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
  EXPECT_NE(first, d.Next());
}

// 6 standard errors of the mean of 20,000 draws: fails by chance once in 5e8.
TEST(RngTest, NormalHasMeanZeroAndUnitVariance) {
  Rng rng(1, "normal");
  double sum = 0, squares = 0;
  const int n = 20000;
  for (int i = 0; i < n; ++i) {
    double x = rng.Normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / n, 0, 6 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1, 6 * std::sqrt(2.0 / n));
}

TEST(RngTest, ShuffleIsAPermutation) {
  std::vector<int> items = {0, 1, 2, 3, 4, 5, 6, 7};
  Rng(3, "shuffle").Shuffle(items);
  std::vector<int> seen(items.size());
  for (int i : items) ++seen[i];
  EXPECT_EQ(seen, std::vector<int>(items.size(), 1));
}

}  // namespace
}  // namespace hilum
