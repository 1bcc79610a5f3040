// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/localization.h"

#include <gtest/gtest.h>

#include <vector>

namespace hilum {
namespace {

TEST(LocalizationTest, CountsHeatByTheShareOfEachPixelInTheLungs) {
  const std::vector<float> heat = {1, 0.5f, 0.5f, 0};
  const std::vector<float> lungs = {1, 0.5f, 0, 1};
  auto score = LocalizationOf(heat, lungs);
  ASSERT_TRUE(score.has_value());
  EXPECT_DOUBLE_EQ(score->heat_in_lungs, 1.25 / 2);
  EXPECT_DOUBLE_EQ(score->lung_share, 2.5 / 4);
}

TEST(LocalizationTest, EvenHeatScoresTheLungsShare) {
  const std::vector<float> heat(6, 0.25f);
  const std::vector<float> lungs = {0, 1, 1, 0.5f, 0, 0};
  auto score = LocalizationOf(heat, lungs);
  EXPECT_NEAR(score->heat_in_lungs, score->lung_share, 1e-12);
}

TEST(LocalizationTest, WithoutHeatThereIsNoScore) {
  EXPECT_FALSE(LocalizationOf(std::vector<float>(4), std::vector<float>(4, 1)));
  EXPECT_FALSE(LocalizationOf(std::vector<float>(4, 1), std::vector<float>(3)));
  EXPECT_FALSE(LocalizationOf({}, {}));
}

}  // namespace
}  // namespace hilum
