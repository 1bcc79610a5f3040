// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/image.h"

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(ImageTest, AnImageOfOneValueShowsNothing) {
  for (float value : {0.0f, 0.3f, 1.0f}) {
    GrayImage flat{2, 2, {value, value, value, value}};
    EXPECT_EQ(CheckShowsSomething(flat).code(),
              absl::StatusCode::kInvalidArgument);
    flat.pixels[3] = 0.5f;
    EXPECT_TRUE(CheckShowsSomething(flat).ok());
  }
  EXPECT_FALSE(CheckShowsSomething(GrayImage{}).ok());
}

TEST(ImageTest, TheDigestIsOfThePictureAlone) {
  const GrayImage bytes{1, 2, {0, 37 / 255.0f}};
  // The same grays in a file of 16 bits.
  const GrayImage words{1, 2, {0, 37 * 257 / 65535.0f}};
  // Luma of equal colours is the gray up to rounding.
  const GrayImage colours{
      1, 2, {0, (0.299f * 37 + 0.587f * 37 + 0.114f * 37) / 255}};
  EXPECT_EQ(PixelDigest(bytes).size(), 32u);
  EXPECT_EQ(PixelDigest(bytes), PixelDigest(words));
  EXPECT_EQ(PixelDigest(bytes), PixelDigest(colours));
}

TEST(ImageTest, AnotherPictureHasAnotherDigest) {
  const std::string one = PixelDigest({1, 2, {0, 37 / 255.0f}});
  EXPECT_NE(one, PixelDigest({1, 2, {0, 38 / 255.0f}}));
  EXPECT_NE(one, PixelDigest({2, 1, {0, 37 / 255.0f}}));
  // An image longer than one chunk of the digest, with a difference at its end.
  GrayImage large{1, 5000, std::vector<float>(5000)};
  const std::string before = PixelDigest(large);
  large.pixels.back() = 1;
  EXPECT_NE(PixelDigest(large), before);
}

}  // namespace
}  // namespace hilum
