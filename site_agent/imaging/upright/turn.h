// SPDX-License-Identifier: Apache-2.0
// The eight orientations of a square: rotated by 90 degrees, mirrored or not
// (the dihedral group of order 8).
#ifndef HILUM_SITE_AGENT_IMAGING_UPRIGHT_TURN_H_
#define HILUM_SITE_AGENT_IMAGING_UPRIGHT_TURN_H_

#include <string>
#include <vector>

#include "absl/types/span.h"

namespace hilum {

// Mirrors left to right or not, then rotates clockwise.
struct Turn {
  int quarters = 0;  // of 90 degrees; 0 to 3
  bool mirrored = false;

  bool operator==(const Turn&) const = default;
};

inline constexpr int kNumTurns = 8;

// Returns quarters, plus 4 if mirrored; 0: upright.
int IndexOf(const Turn& turn);
Turn TurnOfIndex(int index);  // 0 to 7

// Returns one turn equal to `first` and then `second`.
Turn Then(const Turn& first, const Turn& second);
// Returns the turn that reverses `turn`.
Turn Undoing(const Turn& turn);

// Returns whether rows become columns.
inline bool Transposes(const Turn& turn) { return turn.quarters % 2 != 0; }

// Returns "turned by 90 degrees clockwise", "mirrored", "mirrored and turned by
// ..." or, for no turn, "upright".
std::string NameOf(const Turn& turn);

// Turns the picture [rows * columns], row-major; with Transposes() the result
// is [columns * rows]. Keeps all pixel values.
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
      // Finds the source pixel: turns back, then mirrors back.
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
