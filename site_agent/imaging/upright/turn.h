// SPDX-License-Identifier: Apache-2.0
// The eight ways in which a square may lie: turned by quarters, mirrored or
// not (the dihedral group of order 8).
#ifndef HILUM_SITE_AGENT_IMAGING_UPRIGHT_TURN_H_
#define HILUM_SITE_AGENT_IMAGING_UPRIGHT_TURN_H_

#include <string>
#include <vector>

#include "absl/types/span.h"

namespace hilum {

// First mirrored left to right, or not, then turned clockwise.
struct Turn {
  int quarters = 0;  // of 90 degrees; 0 to 3
  bool mirrored = false;

  bool operator==(const Turn&) const = default;
};

inline constexpr int kNumTurns = 8;

// quarters, and 4 more where it is mirrored; 0: nothing is turned.
int IndexOf(const Turn& turn);
Turn TurnOfIndex(int index);  // 0 to 7

// One after the other, as one.
Turn Then(const Turn& first, const Turn& second);
// What sets right what `turn` did.
Turn Undoing(const Turn& turn);

// Whether rows become columns.
inline bool Transposes(const Turn& turn) { return turn.quarters % 2 != 0; }

// "turned by 90 degrees clockwise", "mirrored", "mirrored and turned by ...";
// of nothing "upright".
std::string NameOf(const Turn& turn);

// The picture [rows * columns], row-major, turned; where Transposes() it is
// [columns * rows]. No pixel changes its value.
template <typename Pixel>
std::vector<Pixel> TurnPixels(int rows, int columns,
                              absl::Span<const Pixel> pixels,
                              const Turn& turn) {
  const bool across = Transposes(turn);
  const int out_rows = across ? columns : rows;
  const int out_columns = across ? rows : columns;
  std::vector<Pixel> out;
  out.reserve(pixels.size());
  for (int r = 0; r < out_rows; ++r) {
    for (int c = 0; c < out_columns; ++c) {
      // Where it comes from: turned back, then mirrored back.
      int row = r, column = c;
      if (turn.quarters == 1) row = rows - 1 - c, column = r;
      if (turn.quarters == 2) row = rows - 1 - r, column = columns - 1 - c;
      if (turn.quarters == 3) row = c, column = columns - 1 - r;
      if (turn.mirrored) column = columns - 1 - column;
      out.push_back(pixels[static_cast<size_t>(row) * columns + column]);
    }
  }
  return out;
}

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_UPRIGHT_TURN_H_
