// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/pictures/write_png.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"

namespace hilum {
namespace {

TEST(WritePngTest, ColoursComeOutInTheirOrder) {
  const std::vector<uint8_t> pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255,
                                       0,   0, 0, 9, 9,   9, 0, 0, 0};
  std::string bytes = *EncodePngRgb8(2, 3, pixels);
  GrayImage luma = *DecodeImage(bytes);
  ASSERT_EQ(luma.rows, 2);
  ASSERT_EQ(luma.columns, 3);
  EXPECT_NEAR(luma.at(0, 0), 0.299, 0.01);
  EXPECT_NEAR(luma.at(0, 1), 0.587, 0.01);
  EXPECT_NEAR(luma.at(0, 2), 0.114, 0.01);
  EXPECT_NEAR(luma.at(1, 1), 9 / 255.0, 0.01);
  EXPECT_FALSE(EncodePngRgb8(2, 2, pixels).ok());
}

TEST(WritePngTest, EveryBitOfSixteenIsKept) {
  const std::vector<uint16_t> pixels = {0, 1, 0x1234, 0xff00, 0x00ff, 65535};
  auto image = DecodeImage(EncodePng16(3, 2, pixels).value());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->rows, 3);
  for (size_t i = 0; i < pixels.size(); ++i) {
    EXPECT_EQ(image->pixels[i], static_cast<float>(pixels[i]) / 65535.0f) << i;
  }
}

TEST(WritePngTest, TheSamePixelsAreTheSameBytes) {
  const std::vector<uint8_t> pixels = {0, 51, 255};
  const std::string bytes = EncodePng8(1, 3, pixels).value();
  EXPECT_EQ(EncodePng8(1, 3, pixels).value(), bytes);
  EXPECT_EQ(DecodeImage(bytes)->pixels, (std::vector<float>{0, 0.2f, 1}));
}

TEST(WritePngTest, AnotherNumberOfPixelsThanTheSizeSaysIsRefused) {
  const std::vector<uint8_t> six(6);
  const std::vector<uint16_t> wide(6);
  for (const auto& [rows, columns] :
       {std::pair{2, 2}, {3, 3}, {0, 6}, {6, 0}, {-2, -3}}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(EncodePng8(rows, columns, six).status()))
        << rows;
    EXPECT_TRUE(
        absl::IsInvalidArgument(EncodePng16(rows, columns, wide).status()))
        << rows;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(EncodePngRgb8(2, 3, six).status()));
}

}  // namespace
}  // namespace hilum
