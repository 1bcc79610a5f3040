// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/noise.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hilum {
namespace {

TEST(NoiseTest, StepIsZeroBelowOneAboveAndHalfInTheMiddle) {
  EXPECT_EQ(SmoothStep(1, 3, 0), 0);
  EXPECT_EQ(SmoothStep(1, 3, 1), 0);
  EXPECT_EQ(SmoothStep(1, 3, 2), 0.5);
  EXPECT_EQ(SmoothStep(1, 3, 4), 1);
  // From high to low it falls.
  EXPECT_EQ(SmoothStep(3, 1, 0), 1);
  EXPECT_EQ(SmoothStep(3, 1, 4), 0);
}

TEST(NoiseTest, ValuesStayInTheirRangeAlsoLeftOfZero) {
  for (int i = -400; i < 400; ++i) {
    const double x = 0.37 * i, y = 0.11 * i;
    for (double value : {ValueNoise(3, x, y), FractalNoise(3, x, y, 4)}) {
      EXPECT_GE(value, 0);
      EXPECT_LT(value, 1);
    }
    EXPECT_GE(RidgeNoise(3, x, y), 0);
    EXPECT_LE(RidgeNoise(3, x, y), 1);
  }
}

// A lattice cell that is cut by truncation instead of floor shows as an edge
// at 0.
TEST(NoiseTest, NoiseHasNoEdgeAtALatticeLine) {
  for (int line : {-3, -1, 0, 2}) {
    for (double y : {-2.5, 0.25, 7.75}) {
      EXPECT_NEAR(ValueNoise(9, line - 1e-6, y), ValueNoise(9, line + 1e-6, y),
                  1e-5);
      EXPECT_NEAR(ValueNoise(9, y, line - 1e-6), ValueNoise(9, y, line + 1e-6),
                  1e-5);
    }
  }
}

TEST(NoiseTest, SeedAndPlaceAloneSayTheValue) {
  EXPECT_EQ(FractalNoise(1, 2.5, 3.5, 3), FractalNoise(1, 2.5, 3.5, 3));
  EXPECT_NE(FractalNoise(1, 2.5, 3.5, 3), FractalNoise(2, 2.5, 3.5, 3));
  EXPECT_NE(ValueNoise(1, 2.5, 3.5), ValueNoise(1, 3.5, 2.5));
}

}  // namespace
}  // namespace hilum
