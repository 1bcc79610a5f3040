// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/exif.h"

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {
namespace {

const char kCases[] = HILUM_SOURCE_DIR "/../shared/cases/exif/";

std::string Integer(uint32_t value, int bytes, bool big_endian) {
  std::string out;
  for (int i = 0; i < bytes; ++i) {
    const int shift = 8 * (big_endian ? bytes - 1 - i : i);
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
  return out;
}

// Makes a TIFF structure with two tags, the second of them Orientation.
std::string Tiff(int orientation, bool big_endian, uint32_t type = 3) {
  const auto number = [&](uint32_t value, int bytes) {
    return Integer(value, bytes, big_endian);
  };
  const auto entry = [&](uint32_t tag, uint32_t kind, uint32_t value) {
    return number(tag, 2) + number(kind, 2) + number(1, 4) + number(value, 2) +
           number(0, 2);
  };
  return std::string(big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) +
         number(2, 2) + entry(0x0100, 3, 7) +
         entry(0x0112, type, static_cast<uint32_t>(orientation)) + number(0, 4);
}

TEST(ExifTest, TheOrientationIsReadInBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(ExifOrientation(Tiff(orientation, true)), orientation);
    EXPECT_EQ(ExifOrientation(Tiff(orientation, false)), orientation);
  }
}

TEST(ExifTest, WhatIsNoOrientationTurnsNothing) {
  EXPECT_EQ(ExifOrientation(""), 1);
  EXPECT_EQ(ExifOrientation("II*"), 1);
  EXPECT_EQ(ExifOrientation(Tiff(0, true)), 1);
  EXPECT_EQ(ExifOrientation(Tiff(9, false)), 1);
  EXPECT_EQ(ExifOrientation(Tiff(6, false, 2)), 1);  // text
  const std::string whole = Tiff(6, true);
  for (size_t n = 0; n < whole.size() - 4; ++n) {
    EXPECT_EQ(ExifOrientation(absl::string_view(whole).substr(0, n)), 1) << n;
  }
  std::string far = whole;
  far[4] = '\xff';  // the directory's place
  EXPECT_EQ(ExifOrientation(far), 1);
}

// Stored as 1 2 3 / 4 5 6. The expected pictures are from the standard's figure
// of the eight values (CIPA DC-008, section 4.6.4 A): the sides where the
// stored row 0 and column 0 are displayed.
TEST(ExifTest, EachOfTheEightIsShownAsTheStandardHasIt) {
  const GrayImage stored{2, 3, {1, 2, 3, 4, 5, 6}};
  const std::vector<std::vector<float>> shown = {
      {1, 2, 3, 4, 5, 6},   // top, left
      {3, 2, 1, 6, 5, 4},   // top, right
      {6, 5, 4, 3, 2, 1},   // bottom, right
      {4, 5, 6, 1, 2, 3},   // bottom, left
      {1, 4, 2, 5, 3, 6},   // left, top
      {4, 1, 5, 2, 6, 3},   // right, top
      {6, 3, 5, 2, 4, 1},   // right, bottom
      {3, 6, 2, 5, 1, 4}};  // left, bottom
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const GrayImage image = ApplyExifOrientation(stored, orientation);
    EXPECT_EQ(image.pixels, shown[static_cast<size_t>(orientation - 1)])
        << orientation;
    EXPECT_EQ(image.rows, orientation < 5 ? 2 : 3) << orientation;
  }
}

// A photographed film, displayed as every viewer displays it.
TEST(ExifTest, ASharedJpegOfOrientation6IsTheUprightPicture) {
  if (!std::filesystem::exists(kCases)) GTEST_SKIP() << "no shared cases";
  const auto read = [](const char* name) {
    return DecodeImage(ReadFile(absl::StrCat(kCases, name)).value()).value();
  };
  const GrayImage turned = read("exif6.jpg"), upright = read("upright.png");
  const GrayImage sideways = read("sideways.png");
  double near = 0, far = 0;
  for (size_t i = 0; i < turned.pixels.size(); ++i) {
    near += std::abs(turned.pixels[i] - upright.pixels[i]);
    far += std::abs(turned.pixels[i] - sideways.pixels[i]);
  }
  const auto count = static_cast<double>(turned.pixels.size());
  EXPECT_LT(near / count, 0.02);  // JPEG's loss
  EXPECT_GT(far / count, 0.05);
}

}  // namespace
}  // namespace hilum
