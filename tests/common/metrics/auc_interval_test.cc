// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/auc_interval.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hilum {
namespace {

// The limits are where |auc - theta| = z sqrt(V(theta)), which becomes a
// polynomial of the fourth degree (Newcombe 2006).
double Excess(double auc, double theta, double p, double n) {
  const double v = theta * (1 - theta) / (p * n) *
                   (1 + ((p + n) / 2 - 1) *
                            ((1 - theta) / (2 - theta) + theta / (1 + theta)));
  return std::pow(auc - theta, 2) - std::pow(1.959963984540054, 2) * v;
}

TEST(NewcombeAucIntervalTest, LimitsSolveItsEquation) {
  for (double auc : {0.2, 0.5, 0.77, 0.99}) {
    for (AucCounts counts : {AucCounts{10, 40}, {3, 5}, {200, 700}}) {
      const double p = static_cast<double>(counts.positives);
      const double n = static_cast<double>(counts.negatives);
      const Interval interval = NewcombeAucInterval(auc, {counts});
      EXPECT_NEAR(Excess(auc, interval.low, p, n), 0, 1e-12);
      EXPECT_NEAR(Excess(auc, interval.high, p, n), 0, 1e-12);
      EXPECT_LT(interval.low, auc);
      EXPECT_GT(interval.high, auc);
    }
  }
}

TEST(NewcombeAucIntervalTest, PerfectOrderLeavesRoomBelowOnly) {
  const Interval perfect = NewcombeAucInterval(1, {{10, 40}});
  EXPECT_EQ(perfect.high, 1);
  EXPECT_NEAR(Excess(1, perfect.low, 10, 40), 0, 1e-12);
  EXPECT_GT(perfect.low, 0.8);
  EXPECT_LT(perfect.low, 0.95);
  const Interval reversed = NewcombeAucInterval(0, {{10, 40}});
  EXPECT_EQ(reversed.low, 0);
  EXPECT_NEAR(reversed.high, 1 - perfect.low, 1e-12);
  // One pair tells next to nothing.
  EXPECT_LT(NewcombeAucInterval(1, {{1, 1}}).low, 0.25);
}

// Five groups have a fifth of the variance of one of them.
TEST(NewcombeAucIntervalTest, MeanOfGroupsIsNarrowerThanOneOfThem) {
  const std::vector<AucCounts> five(5, AucCounts{10, 40});
  const Interval one = NewcombeAucInterval(1, {{10, 40}});
  const Interval mean = NewcombeAucInterval(1, five);
  EXPECT_LT(1 - mean.low, 1 - one.low);
  EXPECT_NEAR(Excess(1, mean.low, 10, 40) + std::pow(1 - mean.low, 2) * 4, 0,
              1e-12);
}

TEST(LogitIntervalTest, StaysWithinZeroAndOne) {
  const Interval interval = LogitInterval(0.99, 0.01);
  EXPECT_GT(interval.low, 0);
  EXPECT_LT(interval.high, 1);
  EXPECT_NEAR(std::log(interval.low / (1 - interval.low)) +
                  std::log(interval.high / (1 - interval.high)),
              2 * std::log(99), 1e-5);
}

}  // namespace
}  // namespace hilum
