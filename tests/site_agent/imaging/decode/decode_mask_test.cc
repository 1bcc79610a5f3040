// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/decode_mask.h"

#include <png.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {
namespace {

using testing::HasSubstr;

const char kCases[] = HILUM_SOURCE_DIR "/../shared/cases/masks/";

// Makes a mask of these levels, in samples with the maximum `full`.
GrayImage MaskOf(const std::vector<int>& levels, float full = 255) {
  GrayImage mask{1, static_cast<int>(levels.size()), {}};
  for (int level : levels) {
    mask.pixels.push_back(static_cast<float>(level) / full);
  }
  return mask;
}

std::vector<float> Read(GrayImage mask) {
  ReadMaskLevels(mask);
  EXPECT_TRUE(WhyMaskIsDoubtful(mask).ok()) << WhyMaskIsDoubtful(mask);
  return mask.pixels;
}

std::string DoubtOf(GrayImage mask) {
  ReadMaskLevels(mask);
  for (float v : mask.pixels) EXPECT_EQ(v, 0);
  return std::string(WhyMaskIsDoubtful(mask).message());
}

TEST(DecodeMaskTest, ZeroAndOneOtherLevelIsAMask) {
  const std::vector<float> lungs = {0, 1, 1, 0};
  EXPECT_EQ(Read(MaskOf({0, 1, 1, 0})), lungs);
  EXPECT_EQ(Read(MaskOf({0, 127, 127, 0})), lungs);
  EXPECT_EQ(Read(MaskOf({0, 255, 255, 0}, 65535)), lungs);
  EXPECT_EQ(Read(MaskOf({0, 1, 1, 0}, 65535)), lungs);
  EXPECT_EQ(Read(MaskOf({0, 76, 76, 0})), lungs);  // red on black
}

TEST(DecodeMaskTest, LabelsOfTheTwoLungsAreBothLungs) {
  EXPECT_EQ(Read(MaskOf({0, 1, 2, 0})), (std::vector<float>{0, 1, 1, 0}));
  EXPECT_EQ(Read(MaskOf({0, 2, 1, 0}, 65535)),
            (std::vector<float>{0, 1, 1, 0}));
}

TEST(DecodeMaskTest, ManyLevelsCountFromHalfOn) {
  const GrayImage soft = MaskOf({0, 3, 126, 129, 250, 255});
  EXPECT_EQ(Read(soft), soft.pixels);
}

TEST(DecodeMaskTest, WhatLeavesDoubtSaysItsLevels) {
  EXPECT_THAT(DoubtOf(MaskOf({1, 1, 1})),
              HasSubstr("all its pixels have the value 1 of 255"));
  EXPECT_THAT(DoubtOf(MaskOf({0, 10, 60, 100})),
              HasSubstr("its largest value is 100 of 255"));
  EXPECT_THAT(DoubtOf(MaskOf({1, 2, 2}, 65535)),
              HasSubstr("its largest value is 2 of 65535"));
  EXPECT_THAT(DoubtOf(MaskOf({200, 255})),
              HasSubstr("beside 200 of 255 and nothing else"));
  EXPECT_THAT(DoubtOf(MaskOf({1, 1})), HasSubstr("write lungs as 255"));
}

TEST(DecodeMaskTest, AnEmptyMaskAndAFullOneAreNoDoubt) {
  EXPECT_EQ(Read(MaskOf({0, 0})), (std::vector<float>{0, 0}));
  EXPECT_EQ(Read(MaskOf({255, 255})), (std::vector<float>{1, 1}));
}

// The shared set has the same lungs in every convention.
TEST(DecodeMaskTest, SharedMasksAreTheSameLungs) {
  if (!std::filesystem::exists(kCases)) GTEST_SKIP() << "no shared cases";
  const auto read = [](const char* name) {
    return ToBinaryMask(
        DecodeMask(ReadFile(absl::StrCat(kCases, name)).value()).value());
  };
  const BinaryMask lungs = read("mask01.png");
  EXPECT_TRUE(JudgeLungMask(lungs).accepted()) << JudgeLungMask(lungs).reason;
  for (const char* name :
       {"mask12.png", "mask128.png", "mask16.png", "mask_alpha.png",
        "mask_palette_voc.png", "mask_red.png"}) {
    EXPECT_EQ(read(name).pixels, lungs.pixels) << name;
  }
  // JPEG's loss moves an edge by a pixel.
  const BinaryMask jpeg = read("mask_jpeg.jpg");
  int other = 0;
  for (size_t i = 0; i < lungs.pixels.size(); ++i) {
    other += jpeg.pixels[i] != lungs.pixels[i];
  }
  EXPECT_LT(other, 0.01 * static_cast<double>(lungs.pixels.size()));
  const BinaryMask inverted = read("mask_inverted.png");
  EXPECT_FALSE(JudgeLungMask(inverted).accepted());
  EXPECT_TRUE(LooksInverted(inverted));
  EXPECT_FALSE(LooksInverted(lungs));
}

}  // namespace
}  // namespace hilum
