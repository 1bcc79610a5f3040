// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/decode/decoders.h"
#include "tests/site_agent/imaging/decode/made_pictures.h"

namespace hilum {
namespace {

TEST(DecodePngTest, SixteenBitPngKeepsEveryBit) {
  auto image = DecodeImage(MakePng(2, 2, {PNG_COLOR_TYPE_GRAY, 16},
                                   {0, 0, 0, 1, 0x12, 0x34, 255, 255}));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->pixels,
            (std::vector<float>{0.0f, 1 / 65535.0f, 0x1234 / 65535.0f, 1.0f}));
}

TEST(DecodePngTest, SmallDepthsSpanTheWholeRange) {
  auto one = DecodeImage(MakePng(2, 1, {PNG_COLOR_TYPE_GRAY, 1}, {0x40}));
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->pixels, (std::vector<float>{0, 1}));
  auto two = DecodeImage(MakePng(4, 1, {PNG_COLOR_TYPE_GRAY, 2}, {0x1b}));
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(two->pixels, (std::vector<float>{0, 85 / 255.0f, 170 / 255.0f, 1}));
  auto four = DecodeImage(MakePng(2, 1, {PNG_COLOR_TYPE_GRAY, 4}, {0x3f}));
  ASSERT_TRUE(four.ok()) << four.status();
  EXPECT_EQ(four->pixels, (std::vector<float>{51 / 255.0f, 1}));
}

TEST(DecodePngTest, AlphaIsIgnored) {
  auto image = DecodeImage(
      MakePng(2, 1, {PNG_COLOR_TYPE_GRAY_ALPHA, 8}, {51, 0, 255, 9}));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->pixels, (std::vector<float>{0.2f, 1}));
}

TEST(DecodePngTest, ColoursBecomeLuma) {
  auto rgb = DecodeImage(
      MakePng(2, 1, {PNG_COLOR_TYPE_RGB, 8}, {255, 0, 0, 255, 255, 255}));
  ASSERT_TRUE(rgb.ok()) << rgb.status();
  EXPECT_NEAR(rgb->pixels[0], 0.299, 1e-6);
  EXPECT_NEAR(rgb->pixels[1], 1, 1e-6);
  auto palette =
      DecodeImage(MakePng(2, 1, {PNG_COLOR_TYPE_PALETTE, 8}, {0, 1}));
  ASSERT_TRUE(palette.ok()) << palette.status();
  EXPECT_NEAR(palette->pixels[0], 0.299, 1e-6);
  EXPECT_NEAR(palette->pixels[1], 1, 1e-6);
}

TEST(DecodePngTest, InterlacedEqualsPlain) {
  std::vector<unsigned char> data(16 * 16);
  for (size_t i = 0; i < data.size(); ++i) data[i] = (i * 37) & 255;
  auto plain = DecodeImage(MakePng(16, 16, {PNG_COLOR_TYPE_GRAY, 8}, data));
  auto woven =
      DecodeImage(MakePng(16, 16, {PNG_COLOR_TYPE_GRAY, 8, true}, data));
  ASSERT_TRUE(plain.ok() && woven.ok());
  EXPECT_EQ(plain->pixels, woven->pixels);
}

TEST(DecodePngTest, HugeHeaderIsRefusedBeforeAllocation) {
  // IHDR is checked against its CRC first, so make a real one: libpng writes
  // the header before any row.
  std::string out;
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep bytes, png_size_t n) {
        static_cast<std::string*>(png_get_io_ptr(p))
            ->append(reinterpret_cast<char*>(bytes), n);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, 900000, 900000, 16, PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  png_destroy_write_struct(&png, &info);
  // One empty IDAT chunk, so that reading the header ends.
  out += std::string("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
  EXPECT_EQ(DecodeImage(out).status().code(),
            absl::StatusCode::kResourceExhausted)
      << DecodeImage(out).status();
}

TEST(DecodePngTest, OpacityIsGivenToWhoAsksForIt) {
  const std::string bytes =
      MakePng(2, 1, {PNG_COLOR_TYPE_GRAY_ALPHA, 8}, {51, 0, 255, 102});
  GrayImage alpha;
  auto image = DecodePng(bytes, &alpha);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->pixels, (std::vector<float>{0.2f, 1}));
  EXPECT_EQ(alpha.pixels, (std::vector<float>{0, 0.4f}));
  GrayImage before{1, 1, {7}};
  ASSERT_TRUE(
      DecodePng(MakePng(1, 1, {PNG_COLOR_TYPE_GRAY, 8}, {9}), &before).ok());
  EXPECT_EQ(before.pixels, (std::vector<float>{7}));
}

}  // namespace
}  // namespace hilum
