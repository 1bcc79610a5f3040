// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/augment_draws.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace hilum {
namespace {

constexpr int kDraws = 2000;

v1::Augmentation Reach() {
  v1::Augmentation reach;
  reach.set_shift(0.1);
  reach.set_scale(0.2);
  reach.set_rotation_degrees(30);
  reach.set_intensity(0.3);
  reach.set_gamma(0.4);
  reach.set_flip(true);
  return reach;
}

TEST(AugmentDrawsTest, DrawsFillTheirReachAndGoNoFurther) {
  Rng rng(1, "draws");
  double shift = 0, scale = 0, turn = 0, gain = 0, exponent = 0;
  int flips = 0;
  for (int i = 0; i < kDraws; ++i) {
    const PlaceDraw place(Reach(), 100, rng);
    const GrayDraw gray(Reach(), rng);
    shift = std::max({shift, std::abs(place.dy), std::abs(place.dx)});
    scale = std::max<double>(scale,
                             std::abs(std::log(std::hypot(place.a, place.b))));
    turn = std::max<double>(turn, std::abs(std::atan2(place.b, place.a)));
    gain = std::max({gain, std::abs(gray.gain), std::abs(gray.brightness)});
    exponent = std::max(exponent, std::abs(std::log(gray.exponent)));
    flips += place.flip;
  }
  const double kTurn = 30 * 3.14159265358979 / 180;
  for (const auto& [most, reach] : {std::pair{shift, 10.0},
                                    {scale, 0.2},
                                    {turn, kTurn},
                                    {gain, 0.3},
                                    {exponent, 0.4}}) {
    EXPECT_LE(most, reach + 1e-6);
    // All of 2,000 draws below it by chance: 0.99^2000, 2e-9.
    EXPECT_GT(most, 0.99 * reach);
  }
  EXPECT_NEAR(flips, kDraws / 2, 6 * std::sqrt(kDraws / 4.0));
}

TEST(AugmentDrawsTest, WithoutReachNothingChanges) {
  Rng rng(1, "draws");
  for (int i = 0; i < 100; ++i) {
    const PlaceDraw place({}, 100, rng);
    EXPECT_EQ(place.dy, 0);
    EXPECT_EQ(place.dx, 0);
    EXPECT_EQ(place.a, 1);
    EXPECT_EQ(place.b, 0);
    EXPECT_FALSE(place.flip);
    const GrayDraw gray({}, rng);
    EXPECT_EQ(gray.gain, 0);
    EXPECT_EQ(gray.exponent, 1);
  }
}

// Else switching one off would change what another is tried with.
TEST(AugmentDrawsTest, OneSettingLeavesTheOthersDrawsAlone) {
  v1::Augmentation without = Reach();
  without.set_rotation_degrees(0);
  without.set_flip(false);
  Rng one(7, "draws"), two(7, "draws");
  for (int i = 0; i < 20; ++i) {
    const PlaceDraw a(Reach(), 100, one), b(without, 100, two);
    EXPECT_EQ(a.dy, b.dy);
    EXPECT_EQ(a.dx, b.dx);
    EXPECT_NEAR(std::hypot(a.a, a.b), b.a, 1e-6);
    EXPECT_EQ(GrayDraw(Reach(), one).exponent, GrayDraw(without, two).exponent);
  }
}

}  // namespace
}  // namespace hilum
