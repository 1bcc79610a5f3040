// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace hilum {
namespace {

constexpr int kSize = 33;

// White on the left half, gray on the right one, black around.
Plane Halves() {
  Plane plane(kSize * kSize);
  for (int row = 8; row < 25; ++row) {
    for (int column = 8; column < 25; ++column) {
      plane[row * kSize + column] = column < 16 ? 65535 : 30000;
    }
  }
  return plane;
}

std::vector<float> Augmented(const v1::Augmentation& reach, uint64_t seed) {
  Rng rng(seed, "test");
  std::vector<float> pixels;
  AppendAugmented(Halves(), kSize, reach, rng, pixels);
  return pixels;
}

std::vector<float> Same() {
  std::vector<float> pixels;
  AppendPlane(Halves(), pixels);
  return pixels;
}

// Returns the mean column of the pixels that are not black, weighted by gray.
double Centre(const std::vector<float>& pixels) {
  double sum = 0, moment = 0;
  for (int i = 0; i < kSize * kSize; ++i) {
    sum += pixels[i];
    moment += pixels[i] * (i % kSize);
  }
  return moment / sum;
}

TEST(AugmentTest, NoReachIsTheCaseItself) {
  EXPECT_FALSE(Augments({}));
  const std::vector<float> same = Same();
  const std::vector<float> augmented = Augmented({}, 1);
  for (size_t i = 0; i < same.size(); ++i) {
    ASSERT_NEAR(augmented[i], same[i], 1e-6);
  }
}

TEST(AugmentTest, ReachIsKept) {
  v1::Augmentation reach;
  reach.set_shift(0.1);
  double least = 1e9, most = -1e9;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const double centre = Centre(Augmented(reach, seed));
    least = std::min(least, centre);
    most = std::max(most, centre);
  }
  const double here = Centre(Same());
  EXPECT_GE(least, here - 0.1 * kSize - 0.01);
  EXPECT_LE(most, here + 0.1 * kSize + 0.01);
  EXPECT_GT(most - least, 0.15 * kSize);  // and used
}

TEST(AugmentTest, IsNeverMirroredUnlessAskedTo) {
  v1::Augmentation reach;
  reach.set_rotation_degrees(7);
  reach.set_scale(0.08);
  EXPECT_TRUE(Augments(reach));
  int mirrored = 0;
  auto white_is_right = [](const std::vector<float>& pixels) {
    return pixels[16 * kSize + 22] > pixels[16 * kSize + 10];
  };
  for (uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_FALSE(white_is_right(Augmented(reach, seed)));
  }
  reach.set_flip(true);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    mirrored += white_is_right(Augmented(reach, seed));
  }
  // Binomial(100, 1/2): fails with a probability below 1e-6.
  EXPECT_GT(mirrored, 25);
  EXPECT_LT(mirrored, 75);
}

TEST(AugmentTest, BlackStaysBlackAndWhiteIsNotExceeded) {
  v1::Augmentation reach;
  reach.set_intensity(0.3);
  reach.set_gamma(0.3);
  bool changed = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<float> pixels = Augmented(reach, seed);
    EXPECT_EQ(pixels[0], 0);
    EXPECT_LE(*std::max_element(pixels.begin(), pixels.end()), 1);
    changed |= pixels[16 * kSize + 20] != Same()[16 * kSize + 20];
  }
  EXPECT_TRUE(changed);
}

}  // namespace
}  // namespace hilum
