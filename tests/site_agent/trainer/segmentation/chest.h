// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_TRAINER_SEGMENTATION_CHEST_H_
#define HILUM_TESTS_SITE_AGENT_TRAINER_SEGMENTATION_CHEST_H_

#include <cmath>
#include <cstdint>
#include <vector>

namespace hilum {

// Two dark lungs on gray, wider below, different for each case: [kRows,
// kColumns].
struct Chest {
  static constexpr int kRows = 60, kColumns = 50;
  std::vector<uint8_t> image, mask;

  explicit Chest(int n) {
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < kColumns; ++c) {
        const double depth = (r - 10 - n % 3) / 40.0;
        const double x = std::abs(c - 24.5) - 10 - 2 * depth;
        const bool lung =
            depth > 0 && depth < 1 && std::abs(x) < 4.5 + 3 * depth - (n % 2);
        image.push_back(static_cast<uint8_t>((lung ? 60 : 170) +
                                             (r * 7 + c * 13 + n) % 20));
        mask.push_back(lung ? 255 : 0);
      }
    }
  }
};

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_TRAINER_SEGMENTATION_CHEST_H_
