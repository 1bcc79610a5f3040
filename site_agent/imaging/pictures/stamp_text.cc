// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/pictures/stamp_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/strings/ascii.h"

namespace hilum {
namespace {

constexpr int kWide = 5, kTall = 7;

// Rows from above; in a row the bit 16 is the leftmost dot.
struct Glyph {
  char letter;
  uint8_t rows[kTall];
};

constexpr Glyph kGlyphs[] = {
    {'A', {14, 17, 17, 31, 17, 17, 17}}, {'B', {30, 17, 17, 30, 17, 17, 30}},
    {'C', {14, 17, 16, 16, 16, 17, 14}}, {'D', {30, 17, 17, 17, 17, 17, 30}},
    {'E', {31, 16, 16, 30, 16, 16, 31}}, {'F', {31, 16, 16, 30, 16, 16, 16}},
    {'G', {14, 17, 16, 23, 17, 17, 14}}, {'H', {17, 17, 17, 31, 17, 17, 17}},
    {'I', {14, 4, 4, 4, 4, 4, 14}},      {'J', {7, 2, 2, 2, 2, 18, 12}},
    {'K', {17, 18, 20, 24, 20, 18, 17}}, {'L', {16, 16, 16, 16, 16, 16, 31}},
    {'M', {17, 27, 21, 21, 17, 17, 17}}, {'N', {17, 25, 21, 19, 17, 17, 17}},
    {'O', {14, 17, 17, 17, 17, 17, 14}}, {'P', {30, 17, 17, 30, 16, 16, 16}},
    {'Q', {14, 17, 17, 17, 21, 18, 13}}, {'R', {30, 17, 17, 30, 20, 18, 17}},
    {'S', {15, 16, 16, 14, 1, 1, 30}},   {'T', {31, 4, 4, 4, 4, 4, 4}},
    {'U', {17, 17, 17, 17, 17, 17, 14}}, {'V', {17, 17, 17, 17, 17, 10, 4}},
    {'W', {17, 17, 17, 21, 21, 27, 17}}, {'X', {17, 17, 10, 4, 10, 17, 17}},
    {'Y', {17, 17, 10, 4, 4, 4, 4}},     {'Z', {31, 1, 2, 4, 8, 16, 31}},
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},
    {'2', {14, 17, 1, 2, 4, 8, 31}},     {'3', {31, 2, 4, 2, 1, 17, 14}},
    {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},
    {'8', {14, 17, 17, 14, 17, 17, 14}}, {'9', {14, 17, 17, 15, 1, 2, 12}},
    {' ', {0, 0, 0, 0, 0, 0, 0}},        {',', {0, 0, 0, 0, 4, 4, 8}},
    {'.', {0, 0, 0, 0, 0, 0, 4}},        {'-', {0, 0, 0, 14, 0, 0, 0}},
    {'_', {0, 0, 0, 0, 0, 0, 31}},       {'+', {0, 4, 4, 31, 4, 4, 0}},
    {':', {0, 0, 4, 0, 0, 4, 0}},        {'/', {1, 1, 2, 4, 8, 16, 16}},
    {'(', {2, 4, 8, 8, 8, 4, 2}},        {')', {8, 4, 2, 2, 2, 4, 8}},
    {'?', {14, 17, 1, 2, 4, 0, 4}},
};

const Glyph& GlyphOf(char c) {
  const char wanted = absl::ascii_toupper(static_cast<unsigned char>(c));
  for (const Glyph& glyph : kGlyphs) {
    if (glyph.letter == wanted) return glyph;
  }
  return *std::rbegin(kGlyphs);
}

// Returns whether there is a dot; counts dots from the text's upper left
// corner.
bool IsDot(absl::string_view text, int row, int column) {
  if (row < 0 || row >= kTall || column < 0) return false;
  const int letter = column / (kWide + 1), within = column % (kWide + 1);
  if (letter >= static_cast<int>(text.size()) || within == kWide) return false;
  return GlyphOf(text[static_cast<size_t>(letter)]).rows[row] >>
             (kWide - 1 - within) &
         1;
}

}  // namespace

bool StampText(absl::string_view text, RgbImage& image) {
  return StampLines({std::string(text)}, image);
}

bool StampLines(absl::Span<const std::string> lines, RgbImage& image) {
  // Sizes in dots, with a black dot all around.
  size_t longest = 0;
  for (const std::string& line : lines) {
    longest = std::max(longest, line.size());
  }
  const int wide = static_cast<int>(longest) * (kWide + 1) + 1;
  const int tall = static_cast<int>(lines.size()) * (kTall + 1) + 1;
  const int dot =
      std::max(1, std::min(image.columns / 2 / wide, image.rows / tall));
  if (longest == 0 || wide * dot > image.columns || tall * dot > image.rows) {
    return false;
  }
  const int top = image.rows - tall * dot;
  for (int row = 0; row < tall * dot; ++row) {
    const int line = std::max(0, row / dot - 1) / (kTall + 1);
    const int within = row / dot - 1 - line * (kTall + 1);
    for (int column = 0; column < wide * dot; ++column) {
      const bool on =
          line < static_cast<int>(lines.size()) &&
          IsDot(lines[static_cast<size_t>(line)], within, column / dot - 1);
      const size_t at =
          3 * (static_cast<size_t>(top + row) * image.columns + column);
      std::fill_n(image.pixels.begin() + static_cast<ptrdiff_t>(at), 3,
                  static_cast<uint8_t>(on ? 255 : 0));
    }
  }
  return true;
}

}  // namespace hilum
