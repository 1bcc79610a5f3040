// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/augment_pair.h"

#include <gtest/gtest.h>

#include <vector>

namespace hilum {
namespace {

constexpr int kSide = 64;

// A bright square, and itself as the mask.
struct Square {
  Plane plane = Plane(kSide * kSide);
  MaskPlane mask = MaskPlane(kSide * kSide);

  Square() {
    for (int r = 14; r < 40; ++r) {
      for (int c = 20; c < 34; ++c) {
        plane[r * kSide + c] = 65535;
        mask[r * kSide + c] = 255;
      }
    }
  }
};

TEST(AugmentPairTest, ImageAndMaskGoTheSameWay) {
  const Square square;
  v1::Augmentation reach = SegmentAugmentation();
  reach.set_intensity(0);
  reach.set_gamma(0);
  bool moved = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed, "pair");
    std::vector<float> pixels, masks;
    AppendAugmentedPair(square.plane, square.mask, kSide, reach, rng, pixels,
                        masks);
    ASSERT_EQ(pixels.size(), masks.size());
    for (size_t i = 0; i < pixels.size(); ++i) {
      // Patches brighten what is not black, and can go no higher than white.
      EXPECT_GE(pixels[i], masks[i] - 1e-5f);
      EXPECT_EQ(pixels[i] > 0, masks[i] > 0) << i;
      moved = moved || (masks[i] > 0.5f) != (square.mask[i] > 127);
    }
  }
  EXPECT_TRUE(moved);
}

// 65535 is to a lung plane what 255 is to a mask.
TEST(AugmentPairTest, LungPlanesGoAsMasksDo) {
  const Square square;
  Plane lungs;
  for (uint8_t v : square.mask) lungs.push_back(v * 257);
  std::vector<float> pixels[2], masks[2];
  for (int k : {0, 1}) {
    Rng rng(5, "pair");
    if (k == 0) {
      AppendAugmentedPair(square.plane, square.mask, kSide,
                          SegmentAugmentation(), rng, pixels[k], masks[k]);
      AppendPair(square.plane, square.mask, pixels[k], masks[k]);
    } else {
      AppendAugmentedPair(square.plane, lungs, kSide, SegmentAugmentation(),
                          rng, pixels[k], masks[k]);
      AppendPair(square.plane, lungs, pixels[k], masks[k]);
    }
  }
  EXPECT_EQ(pixels[0], pixels[1]);
  ASSERT_EQ(masks[0].size(), masks[1].size());
  for (size_t i = 0; i < masks[0].size(); ++i) {
    EXPECT_NEAR(masks[0][i], masks[1][i], 1e-6);
  }
}

TEST(AugmentPairTest, WithoutReachTheMaskIsItself) {
  const Square square;
  Rng rng(1, "pair");
  std::vector<float> pixels, masks, plain, plain_masks;
  AppendAugmentedPair(square.plane, square.mask, kSide, {}, rng, pixels, masks);
  AppendPair(square.plane, square.mask, plain, plain_masks);
  for (size_t i = 0; i < masks.size(); ++i) {
    EXPECT_NEAR(masks[i], plain_masks[i], 1e-4);
  }
}

}  // namespace
}  // namespace hilum
