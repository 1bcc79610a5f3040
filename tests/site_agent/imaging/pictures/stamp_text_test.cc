// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/pictures/stamp_text.h"

#include <string>

#include "gtest/gtest.h"

namespace hilum {
namespace {

RgbImage Gray(int rows, int columns) {
  return {rows, columns,
          std::vector<uint8_t>(static_cast<size_t>(rows) * columns * 3, 90)};
}

// '#' white, ' ' black, '.' unchanged.
std::string Shown(const RgbImage& image) {
  std::string out;
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.columns; ++column) {
      const uint8_t v = image.pixels[3 * (row * image.columns + column)];
      out += v == 255 ? '#' : v == 0 ? ' ' : '.';
    }
    out += '\n';
  }
  return out;
}

TEST(StampTextTest, LettersStandInTheLowerLeftCorner) {
  RgbImage image = Gray(10, 16);
  ASSERT_TRUE(StampText("Ft", image));
  EXPECT_EQ(Shown(image),
            "................\n"
            "             ...\n"
            " ##### ##### ...\n"
            " #       #   ...\n"
            " #       #   ...\n"
            " ####    #   ...\n"
            " #       #   ...\n"
            " #       #   ...\n"
            " #       #   ...\n"
            "             ...\n");
}

TEST(StampTextTest, DotsGrowWithTheImage) {
  RgbImage image = Gray(40, 42);  // half the width takes 7 dots of 3 pixels
  ASSERT_TRUE(StampText("L", image));
  int white = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    white += image.pixels[i] == 255;
  }
  EXPECT_EQ(white, 11 * 9);
  EXPECT_EQ(image.pixels[3 * (39 * 42 + 21)], 90);
}

TEST(StampTextTest, LinesStandOneBelowTheOther) {
  RgbImage both = Gray(30, 40), lower = both, upper = both;
  ASSERT_TRUE(StampLines({"ab", "cd"}, both));
  ASSERT_TRUE(StampText("cd", lower));
  ASSERT_TRUE(StampText("ab", upper));
  const std::string shown = Shown(both);
  const size_t width = 41;
  // The last 9 rows show "cd", the 8 rows above show "ab".
  EXPECT_EQ(shown.substr(21 * width), Shown(lower).substr(21 * width));
  EXPECT_EQ(shown.substr(13 * width, 8 * width),
            Shown(upper).substr(21 * width, 8 * width));
  EXPECT_EQ(shown[12 * width], '.');
}

TEST(StampTextTest, AnImageTooSmallStaysAsItIs) {
  for (RgbImage image : {Gray(8, 100), Gray(20, 12)}) {
    const RgbImage before = image;
    EXPECT_FALSE(StampText("ab", image));
    EXPECT_EQ(image.pixels, before.pixels);
  }
}

}  // namespace
}  // namespace hilum
