// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/proportion.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

// Newcombe 1998, "Two-sided confidence intervals for the single proportion",
// table I, method 3.
TEST(WilsonIntervalTest, IsThePublishedOne) {
  struct Case {
    uint64_t part, whole;
    double low, high;
  };
  for (const Case& c :
       {Case{81, 263, 0.2553, 0.3662}, Case{15, 148, 0.0624, 0.1605},
        Case{0, 20, 0, 0.1611}, Case{1, 29, 0.0061, 0.1718}}) {
    EXPECT_NEAR(WilsonInterval(c.part, c.whole)->low, c.low, 5e-5);
    EXPECT_NEAR(WilsonInterval(c.part, c.whole)->high, c.high, 5e-5);
  }
}

TEST(WilsonIntervalTest, HoldsAProportionAtAnEnd) {
  for (uint64_t n = 1; n < 2000; n += 7) {
    EXPECT_EQ(WilsonInterval(0, n)->low, 0);
    EXPECT_EQ(WilsonInterval(n, n)->high, 1);
    EXPECT_LT(WilsonInterval(n, n)->low, 1);
  }
  EXPECT_FALSE(WilsonInterval(0, 0).has_value());
}

// Newcombe 1998, "Interval estimation for the difference between independent
// proportions", table II, method 10: 56/70 - 48/80 and 9/10 - 3/10.
TEST(SquareAndAddTest, OfADifferenceIsThePublishedOne) {
  const auto difference = [](uint64_t a, uint64_t m, uint64_t b, uint64_t n) {
    return SquareAndAdd({{1, double(a) / double(m), *WilsonInterval(a, m)},
                         {-1, double(b) / double(n), *WilsonInterval(b, n)}});
  };
  EXPECT_NEAR(difference(56, 70, 48, 80).low, 0.0524, 5e-5);
  EXPECT_NEAR(difference(56, 70, 48, 80).high, 0.3339, 5e-5);
  EXPECT_NEAR(difference(9, 10, 3, 10).low, 0.1705, 5e-5);
  EXPECT_NEAR(difference(9, 10, 3, 10).high, 0.8090, 5e-5);
}

}  // namespace
}  // namespace hilum
