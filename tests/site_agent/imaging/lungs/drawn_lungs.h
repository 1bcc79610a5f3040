// SPDX-License-Identifier: Apache-2.0
// Masks of lungs that are drawn, for tests.
#ifndef HILUM_TESTS_SITE_AGENT_IMAGING_LUNGS_DRAWN_LUNGS_H_
#define HILUM_TESTS_SITE_AGENT_IMAGING_LUNGS_DRAWN_LUNGS_H_

#include <cstdint>
#include <vector>

#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {

inline constexpr int kSide = 120;

inline BinaryMask Empty() {
  return {kSide, kSide, std::vector<uint8_t>(kSide * kSide)};
}

struct Ellipse {
  double row, column, height, width;  // centre and semi-axes
};

inline void Fill(BinaryMask& mask, const Ellipse& e, uint8_t value = 1) {
  for (int r = 0; r < mask.rows; ++r) {
    for (int c = 0; c < mask.columns; ++c) {
      const double y = (r - e.row) / e.height, x = (c - e.column) / e.width;
      if (y * y + x * x <= 1) mask.pixels[r * mask.columns + c] = value;
    }
  }
}

// Narrow above, wide below, as lungs are.
inline BinaryMask Lungs() {
  BinaryMask mask = Empty();
  for (int side : {-1, 1}) {
    for (int i = 0; i <= 30; ++i) {
      Fill(mask, {35.0 + i, 59.5 + side * (20 + i * 0.2), 18, 11 + i * 0.2});
    }
  }
  return mask;
}

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_IMAGING_LUNGS_DRAWN_LUNGS_H_
