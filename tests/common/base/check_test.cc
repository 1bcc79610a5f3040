// SPDX-License-Identifier: Apache-2.0
#include "common/base/check.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(CheckTest, ConditionThatHoldsIsLookedAtOnceAndPasses) {
  int looks = 0;
  HILUM_CHECK(++looks == 1);
  EXPECT_EQ(looks, 1);
}

// It stays on in release builds, where assert is off.
TEST(CheckDeathTest, ConditionThatFailsEndsTheProcessAndIsNamedWithItsPlace) {
  const int sites = 2;
  EXPECT_DEATH(HILUM_CHECK(sites >= 3),
               "check_test.cc:[0-9]+: invariant violated: sites >= 3");
}

}  // namespace
}  // namespace hilum
