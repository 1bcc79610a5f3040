// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/lungs/prepare_mask.h"

#include <gtest/gtest.h>

#include <vector>

#include "site_agent/imaging/prepare.h"

namespace hilum {
namespace {

GrayImage Flat(int rows, int columns, float value) {
  return {rows, columns,
          std::vector<float>(static_cast<size_t>(rows) * columns, value)};
}

// A mask of the right half, of half the image's size.
TEST(PrepareMaskTest, MaskTakesTheWayOfItsImage) {
  GrayImage image = Flat(60, 40, 0.5f), mask = Flat(30, 20, 0);
  for (int r = 0; r < 30; ++r) {
    for (int c = 10; c < 20; ++c) mask.at(r, c) = 1;
  }
  // Whole: of the three columns, the middle one is covered by half.
  std::vector<float> whole = *PrepareWholeMask(image, mask, 3);
  for (int i = 0; i < 9; ++i) {
    EXPECT_NEAR(whole[i], i % 3 * 0.5f, 1e-6) << i;
  }
  // Segmented: the mask fills what is kept but for the margin.
  EXPECT_EQ(SegmentedBox(image, mask)->left, 20);
  std::vector<float> cut = *PrepareSegmentedMask(image, mask, 8);
  for (float share : cut) EXPECT_NEAR(share, 1, 1e-6);
}

// Where the mask covers nothing the segmented plane is black.
TEST(PrepareMaskTest, SegmentedMaskLiesOnTheSegmentedPlane) {
  GrayImage image = Flat(50, 70, 1), mask = Flat(50, 70, 0);
  for (int r = 10; r < 40; ++r) {
    for (int c = r; c < 65; ++c) {
      mask.at(r, c) = 1;
      image.at(r, c) = 0.5f + 0.01f * static_cast<float>((r + c) % 7);
    }
  }
  Plane plane = *PrepareSegmented(image, mask, 24);
  std::vector<float> lungs = *PrepareSegmentedMask(image, mask, 24);
  int covered = 0;
  for (size_t i = 0; i < plane.size(); ++i) {
    if (lungs[i] == 0) {
      EXPECT_EQ(plane[i], 0) << i;
    }
    if (lungs[i] > 0.9f) {
      EXPECT_GT(plane[i], 0) << i;
    }
    covered += lungs[i] > 0.9f;
  }
  EXPECT_GT(covered, 24 * 24 / 3);
}

TEST(PrepareMaskTest, AMaskThatIsEmptyOrLiesAcrossIsRefused) {
  const GrayImage image = Flat(60, 40, 1);
  for (const GrayImage& mask :
       {Flat(60, 40, 0), Flat(20, 30, 1), GrayImage()}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(PrepareWholeMask(image, mask, 4).status()));
    EXPECT_TRUE(
        absl::IsInvalidArgument(PrepareSegmentedMask(image, mask, 4).status()));
  }
}

}  // namespace
}  // namespace hilum
