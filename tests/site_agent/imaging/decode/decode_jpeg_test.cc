// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/decode/decoders.h"
#include "tests/site_agent/imaging/decode/made_pictures.h"

namespace hilum {
namespace {

// A flat gray image whose last scan, of a few bytes, comes `scans` times.
std::string MakeJpegOfScans(int scans) {
  std::string jpeg = MakeJpeg(16, 16, 1, 100, true);
  const std::string scan = jpeg.substr(jpeg.rfind("\xff\xda"));
  jpeg.resize(jpeg.size() - scan.size());
  for (int i = 0; i < scans; ++i) jpeg += scan.substr(0, scan.size() - 2);
  return jpeg + "\xff\xd9";
}

TEST(DecodeJpegTest, JpegGrayAndColourKeepTheirGray) {
  for (int channels : {1, 3}) {
    auto image = DecodeImage(MakeJpeg(24, 17, channels, 100));
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(image->rows, 17);
    EXPECT_EQ(image->columns, 24);
    for (float v : image->pixels) EXPECT_NEAR(v, 100 / 255.0, 0.01);
  }
}

TEST(DecodeJpegTest, AJpegThatIsScannedAgainAndAgainIsRefused) {
  auto some = DecodeImage(MakeJpegOfScans(20));
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_NEAR(some->pixels[0], 100 / 255.0, 0.01);
  EXPECT_EQ(DecodeImage(MakeJpegOfScans(101)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(DecodeJpegTest, WhatEndsEarlyIsRefusedAndNotFilledUp) {
  const std::string whole = MakeJpeg(64, 64, 3, 90);
  ASSERT_TRUE(DecodeJpeg(whole).ok());
  for (size_t left : {size_t{2}, size_t{20}, whole.size() / 2}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        DecodeJpeg(whole.substr(0, whole.size() - left - 2)).status()))
        << left;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeJpeg("\xff\xd8\xff").status()));
}

}  // namespace
}  // namespace hilum
