// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/clipping.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace hilum {
namespace {

TEST(FirstBadDeltaTest, SeesEveryPlaceAndEveryKind) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (size_t size : {1, 7, 64, 1000}) {
    std::vector<float> values(size, -16.0f);
    EXPECT_EQ(FirstBadDelta(values, 16), -1);
    for (size_t i = 0; i < size; ++i) {
      for (float bad : {nan, -nan, infinity, -infinity, 16.000002f}) {
        std::vector<float> one_bad = values;
        one_bad[i] = bad;
        ASSERT_EQ(FirstBadDelta(one_bad, 16), static_cast<int64_t>(i)) << bad;
      }
    }
  }
}

TEST(ClipFactorTest, ScalesOnlyWhatIsLonger) {
  double squares = 0;
  AddSquares({3, 4}, squares);
  EXPECT_EQ(ClipFactor(squares, 0).value(), 1);
  EXPECT_EQ(ClipFactor(squares, 6).value(), 1);
  EXPECT_DOUBLE_EQ(ClipFactor(squares, 1).value(), 0.2);
  EXPECT_FALSE(ClipFactor(std::numeric_limits<double>::infinity(), 1).ok());
  EXPECT_FALSE(ClipFactor(squares, -1).ok());
}

}  // namespace
}  // namespace hilum
