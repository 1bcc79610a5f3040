// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/prepare.h"

#include <limits>

#include "gtest/gtest.h"

namespace hilum {
namespace {

GrayImage Flat(int rows, int columns, float value) {
  return {rows, columns,
          std::vector<float>(static_cast<size_t>(rows) * columns, value)};
}

TEST(PrepareTest, ShrinkingTakesAreaMeans) {
  GrayImage image{2, 4, {0, 0.2f, 0.4f, 0.6f, 0.8f, 1, 0, 0}};
  GrayImage half = ResizeImage(image, 1, 2);
  EXPECT_FLOAT_EQ(half.pixels[0], 0.5f);
  EXPECT_FLOAT_EQ(half.pixels[1], 0.25f);
  GrayImage third = ResizeImage(GrayImage{1, 3, {0, 0.6f, 0.3f}}, 1, 2);
  EXPECT_FLOAT_EQ(third.pixels[0], 0.2f);
  EXPECT_FLOAT_EQ(third.pixels[1], 0.4f);
}

TEST(PrepareTest, GrowingIsBilinearAndKeepsFlatImagesFlat) {
  GrayImage image = ResizeImage(GrayImage{1, 2, {0, 1}}, 1, 4);
  EXPECT_EQ(image.pixels, (std::vector<float>{0, 0.25f, 0.75f, 1}));
  for (float v : ResizeImage(Flat(1, 1, 0.5f), 3, 5).pixels) {
    EXPECT_FLOAT_EQ(v, 0.5f);
  }
}

TEST(PrepareTest, WholeStretchesToTheFullRange) {
  GrayImage image = Flat(10, 10, 0.5f);
  for (int i = 0; i < 50; ++i) image.pixels[i] = 0.4f;
  auto plane = PrepareWhole(image, 10);
  ASSERT_TRUE(plane.ok());
  EXPECT_EQ((*plane)[0], 0);
  EXPECT_EQ((*plane)[99], 65535);
}

TEST(PrepareTest, NothingOutsideTheMaskIsSeen) {
  // Two grays inside. Bright noise outside, which must neither show nor change
  // the percentiles.
  GrayImage image = Flat(100, 100, 1.0f), mask = Flat(100, 100, 0);
  for (int r = 30; r < 80; ++r) {
    for (int c = 20; c < 70; ++c) {
      mask.at(r, c) = 1;
      image.at(r, c) = c < 45 ? 0.2f : 0.3f;
    }
  }
  auto plane = PrepareSegmented(image, mask, 52);
  ASSERT_TRUE(plane.ok());
  // 50 x 50 and a margin of 1: a black border, then the two halves.
  for (int i = 0; i < 52; ++i) {
    EXPECT_EQ((*plane)[i], 0);
    EXPECT_EQ((*plane)[i * 52 + 51], 0);
  }
  EXPECT_EQ((*plane)[26 * 52 + 10], 0);
  EXPECT_EQ((*plane)[26 * 52 + 40], 65535);
  auto other = image;
  for (int r = 0; r < 30; ++r) {
    for (int c = 0; c < 100; ++c) other.at(r, c) = 0.7f;
  }
  EXPECT_EQ(*plane, *PrepareSegmented(other, mask, 52));
}

TEST(PrepareTest, MaskOfAnotherSizeIsFitted) {
  GrayImage image = Flat(40, 40, 0.1f), mask = Flat(10, 10, 0);
  for (int r = 20; r < 40; ++r) image.at(r, 30) = 0.9f;
  for (int r = 5; r < 10; ++r) {
    for (int c = 5; c < 10; ++c) mask.at(r, c) = 1;
  }
  GrayImage large = Flat(40, 40, 0);
  for (int r = 20; r < 40; ++r) {
    for (int c = 20; c < 40; ++c) large.at(r, c) = 1;
  }
  EXPECT_EQ(*PrepareSegmented(image, mask, 32),
            *PrepareSegmented(image, large, 32));
}

// EXIF or Patient Orientation turned the image but not the mask.
TEST(PrepareTest, AMaskThatLiesAcrossItsImageIsRefused) {
  const GrayImage image = Flat(60, 40, 0.5f);
  GrayImage across = Flat(20, 30, 1), own = Flat(30, 20, 1);
  EXPECT_FALSE(SegmentedBox(image, across).ok());
  EXPECT_TRUE(SegmentedBox(image, own).ok());
  // A mask squeezed to a square may belong to the image in either orientation.
  EXPECT_TRUE(SegmentedBox(image, Flat(32, 32, 1)).ok());
  EXPECT_TRUE(SegmentedBox(Flat(30, 30, 1), Flat(30, 30, 1)).ok());
}

TEST(PrepareTest, EmptyMaskAndNanAreRefused) {
  EXPECT_FALSE(PrepareSegmented(Flat(8, 8, 1), Flat(8, 8, 0), 32).ok());
  GrayImage image = Flat(8, 8, 1);
  image.pixels[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(PrepareWhole(image, 32).ok());
  EXPECT_FALSE(PrepareWhole(GrayImage(), 32).ok());
}

}  // namespace
}  // namespace hilum
