// SPDX-License-Identifier: Apache-2.0
#include "sim/progress.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(ProgressTest, BarIsFullOnlyAtTheEnd) {
  EXPECT_EQ(ProgressBar(0, 10, 5), "-----");
  EXPECT_EQ(ProgressBar(9, 10, 5), "====-");
  EXPECT_EQ(ProgressBar(10, 10, 5), "=====");
  EXPECT_EQ(ProgressBar(99, 10, 5), "=====");
}

TEST(ProgressTest, DurationsAreInTheLargestFittingUnit) {
  EXPECT_EQ(ShortDuration(absl::Seconds(-3)), "0 s");
  EXPECT_EQ(ShortDuration(absl::Seconds(59.4)), "59 s");
  EXPECT_EQ(ShortDuration(absl::Seconds(185)), "3 min 05 s");
  EXPECT_EQ(ShortDuration(absl::Minutes(130)), "2 h 10 min");
}

}  // namespace
}  // namespace hilum
