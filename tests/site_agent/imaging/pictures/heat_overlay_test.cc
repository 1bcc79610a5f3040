// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/pictures/heat_overlay.h"

#include <cmath>

#include "gtest/gtest.h"

namespace hilum {
namespace {

GrayImage Filled(int rows, int columns, float value) {
  return {rows, columns,
          std::vector<float>(static_cast<size_t>(rows) * columns, value)};
}

std::vector<int> PixelOf(const RgbImage& image, int row, int column) {
  const uint8_t* at = &image.pixels[3 * (row * image.columns + column)];
  return {at[0], at[1], at[2]};
}

// Returns CIE L* of sRGB (IEC 61966-2-1, CIE 15).
double Lightness(const std::array<uint8_t, 3>& colour) {
  const double parts[] = {0.2126, 0.7152, 0.0722};
  double y = 0;
  for (size_t c = 0; c < 3; ++c) {
    const double v = colour[c] / 255.0;
    y += parts[c] *
         (v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
  }
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

TEST(HeatOverlayTest, LightnessRisesEvenlyWithHeat) {
  const double low = Lightness(HeatColour(0)), high = Lightness(HeatColour(1));
  ASSERT_GT(high - low, 70);
  double before = low;
  for (int i = 1; i <= 20; ++i) {
    const double at = Lightness(HeatColour(i / 20.0f));
    const double step = (at - before) / ((high - low) / 20);
    EXPECT_GT(step, 0.5) << i;
    EXPECT_LT(step, 1.6) << i;
    before = at;
  }
  EXPECT_EQ(HeatColour(-1), HeatColour(0));
  EXPECT_EQ(HeatColour(7), HeatColour(1));
}

TEST(HeatOverlayTest, WhereThereIsNoHeatTheRadiographIsAsItWas) {
  GrayImage image{2, 3, {0, 0.2f, 0.4f, 0.6f, 0.8f, 1}};
  GrayImage heat = Filled(2, 3, 0);
  heat.at(1, 0) = 1;
  RgbImage out = *OverlayHeat(image, heat, {});
  for (int i = 0; i < 6; ++i) {
    if (i == 3) continue;
    const int gray = static_cast<int>(std::lrint(image.pixels[i] * 255));
    EXPECT_EQ(PixelOf(out, i / 3, i % 3), (std::vector<int>{gray, gray, gray}));
  }
  // 0.4 of gray 0.6 and 0.6 of the last colour.
  EXPECT_EQ(PixelOf(out, 1, 0), (std::vector<int>{205, 211, 81}));
}

TEST(HeatOverlayTest, TheRadiographShowsThroughTheGreatestHeat) {
  GrayImage image{1, 2, {0.3f, 0.5f}};
  RgbImage out = *OverlayHeat(image, Filled(1, 2, 1), {});
  for (int c = 0; c < 3; ++c) {
    EXPECT_GE(out.pixels[3 + c] - out.pixels[c], 15);
  }
}

TEST(HeatOverlayTest, TheScaleBarRisesAndLeavesTheRestAlone) {
  GrayImage image = Filled(300, 200, 0.25f), heat = Filled(300, 200, 0);
  RgbImage bare = *OverlayHeat(image, heat, {.scale_bar = false});
  RgbImage out = *OverlayHeat(image, heat, {});
  for (int row = 0; row < 300; ++row) {
    for (int column = 0; column < 200; ++column) {
      const bool bar = row >= 196 && row < 296 && column >= 192 && column < 196;
      EXPECT_EQ(PixelOf(out, row, column) != PixelOf(bare, row, column), bar);
    }
  }
  // Yellow above; mid gray below, where heat has no colour.
  EXPECT_GT(PixelOf(out, 197, 194)[0], PixelOf(out, 197, 194)[2] + 100);
  EXPECT_NEAR(PixelOf(out, 294, 194)[0], PixelOf(out, 294, 194)[2], 4);
}

TEST(HeatOverlayTest, HeatComesBackToWhereItWasCutOut) {
  // The upper left quarter of the cut is hot.
  GrayImage out = SpreadHeat({1, 0, 0, 0}, 2, 100, 60, {20, 10, 60, 50});
  for (int row = 0; row < 100; ++row) {
    for (int column = 0; column < 60; ++column) {
      const bool inside = row >= 20 && row < 60 && column >= 10 && column < 50;
      if (!inside) {
        EXPECT_EQ(out.at(row, column), 0);
      }
    }
  }
  EXPECT_EQ(out.at(20, 10), 1);
  EXPECT_EQ(out.at(59, 10), 0);
  EXPECT_EQ(out.at(20, 49), 0);
  EXPECT_GT(out.at(25, 15), out.at(35, 25));
}

TEST(HeatOverlayTest, HeatOfAnotherSizeIsRefused) {
  EXPECT_EQ(OverlayHeat(Filled(2, 3, 0), Filled(3, 2, 0), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
