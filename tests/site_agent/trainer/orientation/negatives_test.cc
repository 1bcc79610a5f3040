// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/negatives.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "site_agent/imaging/upright/orientation_network.h"

namespace hilum {
namespace {

constexpr size_t kPixels = size_t{kOrientationSide} * kOrientationSide;

std::vector<float> Picture(Rng& rng) {
  std::vector<float> pixels;
  AppendNegative(rng, pixels);
  return pixels;
}

TEST(NegativesTest, APictureIsAppendedAndStretchedToBlackAndWhite) {
  Rng rng(1, "negatives");
  std::vector<float> pixels = {7};
  AppendNegative(rng, pixels);
  EXPECT_EQ(pixels.size(), 1 + kPixels);
  EXPECT_EQ(pixels[0], 7);
  int flat = 0;
  for (int i = 0; i < 200; ++i) {
    const std::vector<float> picture = Picture(rng);
    const auto [least, most] =
        std::minmax_element(picture.begin(), picture.end());
    EXPECT_GE(*least, 0);
    EXPECT_LE(*most, 1);
    if (*least == *most) {
      ++flat;
      continue;
    }
    EXPECT_NEAR(*least, 0, 1e-6);
    EXPECT_NEAR(*most, 1, 1e-6);
  }
  EXPECT_GT(flat, 0);
  EXPECT_LT(flat, 100);
}

TEST(NegativesTest, PicturesFollowFromTheSeedAndDiffer) {
  Rng one(1, "negatives"), again(1, "negatives"), other(2, "negatives");
  bool differs = false;
  for (int i = 0; i < 20; ++i) {
    const std::vector<float> picture = Picture(one);
    EXPECT_EQ(Picture(again), picture);
    differs = differs || Picture(other) != picture;
  }
  EXPECT_TRUE(differs);
}

// A network must not learn that dark is below: no half is darker on the whole.
TEST(NegativesTest, NoSideIsTheDarkOneOnTheWhole) {
  Rng rng(3, "negatives");
  double down = 0, squares = 0;
  const int kCount = 400;
  for (int i = 0; i < kCount; ++i) {
    const std::vector<float> picture = Picture(rng);
    const auto half = picture.begin() + kPixels / 2;
    const double upper = std::accumulate(picture.begin(), half, 0.0);
    const double lower = std::accumulate(half, picture.end(), 0.0);
    const double difference = (upper - lower) / kPixels;
    down += difference;
    squares += difference * difference;
  }
  // Five standard errors of the mean: false once in 1.7 million seeds.
  EXPECT_LT(std::abs(down), 5 * std::sqrt(squares));
}

}  // namespace
}  // namespace hilum
