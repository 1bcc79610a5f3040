// SPDX-License-Identifier: Apache-2.0
// Fuzzes EXIF metadata. For any bytes the orientation is one of eight, and a
// picture keeps its pixels when it is turned.
#include <algorithm>

#include "site_agent/imaging/decode/exif.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  const int orientation = ExifOrientation(FuzzInput(data, size).Rest());
  HILUM_CHECK(orientation >= 1 && orientation <= 8);
  GrayImage turned =
      ApplyExifOrientation({2, 3, {1, 2, 3, 4, 5, 6}}, orientation);
  HILUM_CHECK(turned.rows * turned.columns == 6);
  std::sort(turned.pixels.begin(), turned.pixels.end());
  HILUM_CHECK(turned.pixels == std::vector<float>({1, 2, 3, 4, 5, 6}));
  return 0;
}
