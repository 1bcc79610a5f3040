// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/metrics/fingerprint.h"

namespace hilum {
namespace {

constexpr double kDark[] = {0.1, 0.1, 0.1, 0.1, 0.1};

v1::Fingerprint PrintOf(const Plane& plane, const Plane* lungs) {
  v1::Fingerprint print = EmptyFingerprint();
  AddToFingerprint(plane, lungs, {.rows = 300, .columns = 200}, print);
  return print;
}

TEST(CaseFingerprintTest, AnImageLikeTheTrainingIsNear) {
  const Plane gray(64, 6553);  // 0.1 of white
  EXPECT_LT(GrayDistance(PrintOf(gray, nullptr), kDark).value(), 0.03);
}

TEST(CaseFingerprintTest, ABrightImageIsFarFromADarkTraining) {
  const Plane white(64, 65535);
  EXPECT_NEAR(GrayDistance(PrintOf(white, nullptr), kDark).value(), 0.88, 0.03);
}

TEST(CaseFingerprintTest, OnlyTheLungsCountWhereTheyAreGiven) {
  Plane half(64, 65535);
  std::fill(half.begin(), half.begin() + 32, 0);
  const Plane where_not_black;
  EXPECT_GT(GrayDistance(PrintOf(half, &where_not_black), kDark).value(), 0.8);
  EXPECT_LT(GrayDistance(PrintOf(half, nullptr), kDark).value(), 0.6);
}

TEST(CaseFingerprintTest, WithoutQuantilesOrCasesThereIsNoDistance) {
  EXPECT_FALSE(GrayDistance(PrintOf(Plane(4, 1), nullptr), {}).has_value());
  EXPECT_FALSE(GrayDistance(EmptyFingerprint(), kDark).has_value());
}

}  // namespace
}  // namespace hilum
