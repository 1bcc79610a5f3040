// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/decode.h"

#include <cstdio>
// jpeglib.h needs FILE first.
#include <jpeglib.h>
#include <png.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hilum {
namespace {

struct PngKind {
  int color;
  int depth;
  bool interlaced = false;
};

// `data` has rows in libpng's format (16 bits big-endian).
std::string MakePng(int width, int height, PngKind kind,
                    const std::vector<unsigned char>& data) {
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
  png_set_IHDR(png, info, width, height, kind.depth, kind.color,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_color palette[2] = {{255, 0, 0}, {255, 255, 255}};
  if (kind.color == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, palette, 2);
  }
  png_write_info(png, info);
  size_t row_bytes = data.size() / height;
  std::vector<png_bytep> rows;
  for (int y = 0; y < height; ++y) {
    rows.push_back(const_cast<png_bytep>(data.data()) + y * row_bytes);
  }
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::string MakeJpeg(int width, int height, int channels, unsigned char value,
                     const jpeg_scan_info* two_scans = nullptr) {
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &buffer, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = channels;
  jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg.scan_info = two_scans;
  jpeg.num_scans = two_scans == nullptr ? 0 : 2;
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<unsigned char> row(width * channels, value);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&jpeg, &pointer, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string out(reinterpret_cast<char*>(buffer), size);
  jpeg_destroy_compress(&jpeg);
  std::free(buffer);
  return out;
}

// Makes a flat gray image whose last scan, of a few bytes, comes `scans` times.
std::string MakeJpegOfScans(int scans) {
  static const jpeg_scan_info kScript[] = {{1, {0}, 0, 0, 0, 0},
                                           {1, {0}, 1, 63, 0, 0}};
  std::string jpeg = MakeJpeg(16, 16, 1, 100, kScript);
  const std::string scan = jpeg.substr(jpeg.rfind("\xff\xda"));
  jpeg.resize(jpeg.size() - scan.size());
  for (int i = 0; i < scans; ++i) jpeg += scan.substr(0, scan.size() - 2);
  return jpeg + "\xff\xd9";
}

TEST(DecodeTest, SixteenBitPngKeepsEveryBit) {
  auto image = DecodeImage(MakePng(2, 2, {PNG_COLOR_TYPE_GRAY, 16},
                                   {0, 0, 0, 1, 0x12, 0x34, 255, 255}));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->pixels,
            (std::vector<float>{0.0f, 1 / 65535.0f, 0x1234 / 65535.0f, 1.0f}));
}

TEST(DecodeTest, SmallDepthsSpanTheWholeRange) {
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

TEST(DecodeTest, AlphaIsIgnored) {
  auto image = DecodeImage(
      MakePng(2, 1, {PNG_COLOR_TYPE_GRAY_ALPHA, 8}, {51, 0, 255, 9}));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->pixels, (std::vector<float>{0.2f, 1}));
}

TEST(DecodeTest, ColoursBecomeLuma) {
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

TEST(DecodeTest, InterlacedEqualsPlain) {
  std::vector<unsigned char> data(16 * 16);
  for (size_t i = 0; i < data.size(); ++i) data[i] = (i * 37) & 255;
  auto plain = DecodeImage(MakePng(16, 16, {PNG_COLOR_TYPE_GRAY, 8}, data));
  auto woven =
      DecodeImage(MakePng(16, 16, {PNG_COLOR_TYPE_GRAY, 8, true}, data));
  ASSERT_TRUE(plain.ok() && woven.ok());
  EXPECT_EQ(plain->pixels, woven->pixels);
}

TEST(DecodeTest, JpegGrayAndColourKeepTheirGray) {
  for (int channels : {1, 3}) {
    auto image = DecodeImage(MakeJpeg(24, 17, channels, 100));
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(image->rows, 17);
    EXPECT_EQ(image->columns, 24);
    for (float v : image->pixels) EXPECT_NEAR(v, 100 / 255.0, 0.01);
  }
}

TEST(DecodeTest, AJpegThatIsScannedAgainAndAgainIsRefused) {
  auto some = DecodeImage(MakeJpegOfScans(20));
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_NEAR(some->pixels[0], 100 / 255.0, 0.01);
  EXPECT_EQ(DecodeImage(MakeJpegOfScans(101)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(DecodeTest, EveryTruncationIsRefused) {
  std::vector<unsigned char> noise(32 * 32);
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = (i * i * 7 + i) & 255;
  for (const std::string& whole :
       {MakePng(32, 32, {PNG_COLOR_TYPE_GRAY, 8}, noise),
        MakeJpeg(32, 32, 1, 90)}) {
    ASSERT_TRUE(DecodeImage(whole).ok());
    for (size_t n = 0; n + 2 < whole.size(); n += 7) {
      EXPECT_EQ(
          DecodeImage(absl::string_view(whole).substr(0, n)).status().code(),
          absl::StatusCode::kInvalidArgument)
          << n;
    }
  }
}

TEST(DecodeTest, ADamagedByteNeverCrashes) {
  for (const std::string& whole :
       {MakePng(9, 9, {PNG_COLOR_TYPE_GRAY, 8}, std::vector<unsigned char>(81)),
        MakeJpeg(16, 16, 3, 90)}) {
    for (size_t i = 0; i < whole.size(); ++i) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
      auto image = DecodeImage(bytes);
      if (image.ok()) {
        EXPECT_EQ(image->pixels.size(),
                  static_cast<size_t>(image->rows) * image->columns);
      }
    }
  }
}

TEST(DecodeTest, HugeHeaderIsRefusedBeforeAllocation) {
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

TEST(DecodeTest, OtherBytesAreNotAnImage) {
  for (const char* bytes : {"", "a", "GIF89a........", "DICM"}) {
    EXPECT_EQ(DecodeImage(bytes).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace hilum
