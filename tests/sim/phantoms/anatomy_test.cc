// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/anatomy.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

Anatomy Drawn(uint64_t seed) {
  Rng rng(seed, "anatomy");
  return DrawAnatomy(rng);
}

TEST(AnatomyTest, SameDrawsGiveTheSamePatient) {
  EXPECT_EQ(Drawn(1).texture_seed, Drawn(1).texture_seed);
  EXPECT_EQ(Drawn(1).lung_height, Drawn(1).lung_height);
  EXPECT_NE(Drawn(1).lung_height, Drawn(2).lung_height);
}

// The patient's right is on the film's left.
TEST(AnatomyTest, EachLungIsOnItsSideOnly) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Anatomy anatomy = Drawn(seed);
    const Point right{-0.42, -0.1}, left{0.42, -0.1};
    EXPECT_EQ(LungAt(anatomy, Side::kRight, right), 1);
    EXPECT_EQ(LungAt(anatomy, Side::kLeft, right), 0);
    EXPECT_EQ(LungAt(anatomy, Side::kLeft, left), 1);
    EXPECT_EQ(LungAt(anatomy, Side::kRight, left), 0);
    EXPECT_LT(HilumOf(anatomy, Side::kRight).x, 0);
    EXPECT_GT(HilumOf(anatomy, Side::kLeft).x, 0);
  }
}

TEST(AnatomyTest, LungEndsAtTheDiaphragmWhichIsHigherOnTheRight) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Anatomy anatomy = Drawn(seed);
    EXPECT_LT(anatomy.diaphragm[0], anatomy.diaphragm[1]);
    EXPECT_EQ(LungAt(anatomy, Side::kRight, {-0.42, 0.6}), 0);
  }
}

TEST(AnatomyTest, LungIsDarkerThanTheHeartAndAirOutsideIsDarkest) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Anatomy anatomy = Drawn(seed);
    const double lung = HealthyDensity(anatomy, {-0.5, -0.2});
    EXPECT_LT(lung, HealthyDensity(anatomy, {0.1, 0.26}));
    EXPECT_LT(HealthyDensity(anatomy, {-0.99, 0}), lung);
  }
}

TEST(AnatomyTest, PeripheralityGrowsFromTheHilumOutward) {
  const Anatomy anatomy = Drawn(3);
  const Point hilum = HilumOf(anatomy, Side::kLeft);
  EXPECT_EQ(Peripherality(anatomy, Side::kLeft, hilum), 0);
  EXPECT_LT(Peripherality(anatomy, Side::kLeft, {0.4, 0}),
            Peripherality(anatomy, Side::kLeft, {0.7, 0}));
}

}  // namespace
}  // namespace hilum
