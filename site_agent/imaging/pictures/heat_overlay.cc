// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/pictures/heat_overlay.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr int kStops = 10;
constexpr uint8_t kPlasma[kStops][3] = {{0x0d, 0x08, 0x87}, {0x46, 0x03, 0x9f},
                                        {0x72, 0x01, 0xa8}, {0x9c, 0x17, 0x9e},
                                        {0xbd, 0x37, 0x86}, {0xd8, 0x57, 0x6b},
                                        {0xed, 0x79, 0x53}, {0xfb, 0x9f, 0x3a},
                                        {0xfd, 0xca, 0x26}, {0xf0, 0xf9, 0x21}};

void Blend(float gray, float heat, uint8_t* pixel) {
  heat = std::clamp(heat, 0.0f, 1.0f);
  const float part = kMostHeatOpacity * heat;
  const std::array<uint8_t, 3> colour = HeatColour(heat);
  const float dark = (1 - part) * std::clamp(gray, 0.0f, 1.0f) * 255;
  for (size_t c = 0; c < 3; ++c) {
    pixel[c] = static_cast<uint8_t>(std::lrint(dark + part * colour[c]));
  }
}

// Draws a bar of a third of the height and 2 % of the width, as far from the
// edges as it is wide, with a black line around it.
void DrawScaleBar(RgbImage& image) {
  const int wide = image.columns / 50, tall = image.rows / 3;
  if (wide < 2 || tall < 8) return;  // too small for a bar
  const int right = image.columns - wide, bottom = image.rows - wide;
  for (int row = bottom - tall; row < bottom; ++row) {
    for (int column = right - wide; column < right; ++column) {
      const bool edge = row == bottom - tall || row == bottom - 1 ||
                        column == right - wide || column == right - 1;
      const float heat = static_cast<float>(bottom - 1 - row) / (tall - 1);
      Blend(edge ? 0.0f : 0.5f, edge ? 0.0f : heat,
            &image.pixels[3 *
                          (static_cast<size_t>(row) * image.columns + column)]);
    }
  }
}

}  // namespace

std::array<uint8_t, 3> HeatColour(float heat) {
  const float place = std::clamp(heat, 0.0f, 1.0f) * (kStops - 1);
  const int below = std::min(static_cast<int>(place), kStops - 2);
  const float part = place - static_cast<float>(below);
  std::array<uint8_t, 3> colour;
  for (size_t c = 0; c < 3; ++c) {
    colour[c] = static_cast<uint8_t>(std::lrint((1 - part) * kPlasma[below][c] +
                                                part * kPlasma[below + 1][c]));
  }
  return colour;
}

absl::StatusOr<RgbImage> OverlayHeat(const GrayImage& image,
                                     const GrayImage& heat,
                                     const OverlayOptions& options) {
  if (image.pixels.empty() || image.rows != heat.rows ||
      image.columns != heat.columns) {
    return absl::InvalidArgumentError(
        absl::StrCat("heat of ", heat.rows, " x ", heat.columns,
                     " over an image of ", image.rows, " x ", image.columns));
  }
  RgbImage out{image.rows, image.columns, {}};
  out.pixels.resize(image.pixels.size() * 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    Blend(image.pixels[i], heat.pixels[i], &out.pixels[3 * i]);
  }
  if (options.scale_bar) DrawScaleBar(out);
  return out;
}

GrayImage SpreadHeat(const std::vector<float>& heat, int size, int rows,
                     int columns, const ImageBox& box) {
  const GrayImage part = ResizeImage({size, size, heat}, box.bottom - box.top,
                                     box.right - box.left);
  GrayImage out{rows, columns, {}};
  out.pixels.resize(static_cast<size_t>(rows) * columns);
  for (int row = 0; row < part.rows; ++row) {
    for (int column = 0; column < part.columns; ++column) {
      out.at(box.top + row, box.left + column) = part.at(row, column);
    }
  }
  return out;
}

}  // namespace hilum
