// SPDX-License-Identifier: Apache-2.0
// Tests JudgeLungMask's ranges with real masks and changed copies of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

const char kFolder[] = HILUM_SOURCE_DIR "/../shared/pcxr/masks";

// Returns each `step`th mask, in the order of their names.
std::vector<BinaryMask> GivenMasks(size_t step) {
  std::vector<std::string> paths;
  if (fs::exists(kFolder)) {
    for (const auto& entry : fs::directory_iterator(kFolder)) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<BinaryMask> masks;
  for (size_t i = 0; i < paths.size(); i += step) {
    auto bytes = ReadFile(paths[i]);
    auto mask = bytes.ok() ? DecodeImage(*bytes) : bytes.status();
    EXPECT_TRUE(mask.ok()) << paths[i] << mask.status();
    if (mask.ok()) masks.push_back(ToBinaryMask(*mask));
  }
  return masks;
}

// Turns about the centre, then moves by shares of the sides.
BinaryMask Moved(const BinaryMask& mask, double degrees, double down,
                 double right) {
  BinaryMask out{mask.rows, mask.columns,
                 std::vector<uint8_t>(mask.pixels.size())};
  const double turn = degrees * M_PI / 180;
  const double cy = (mask.rows - 1) / 2.0, cx = (mask.columns - 1) / 2.0;
  for (int r = 0; r < mask.rows; ++r) {
    for (int c = 0; c < mask.columns; ++c) {
      const double y = r - cy - down * mask.rows;
      const double x = c - cx - right * mask.columns;
      const long from_r =
          std::lround(std::cos(turn) * y + std::sin(turn) * x + cy);
      const long from_c =
          std::lround(std::cos(turn) * x - std::sin(turn) * y + cx);
      if (from_r < 0 || from_c < 0 || from_r >= mask.rows ||
          from_c >= mask.columns) {
        continue;
      }
      out.pixels[r * mask.columns + c] =
          mask.pixels[from_r * mask.columns + from_c];
    }
  }
  return out;
}

// Clears one side of the middle of the set pixels.
BinaryMask Halved(BinaryMask mask, bool by_rows, bool first) {
  std::vector<int> places;
  for (int r = 0; r < mask.rows; ++r) {
    for (int c = 0; c < mask.columns; ++c) {
      if (mask.pixels[r * mask.columns + c]) places.push_back(by_rows ? r : c);
    }
  }
  const auto [least, most] = std::minmax_element(places.begin(), places.end());
  const int middle = (*least + *most) / 2;
  for (int r = 0; r < mask.rows; ++r) {
    for (int c = 0; c < mask.columns; ++c) {
      if (((by_rows ? r : c) < middle) == first) {
        mask.pixels[r * mask.columns + c] = 0;
      }
    }
  }
  return mask;
}

BinaryMask Inverted(BinaryMask mask) {
  for (uint8_t& v : mask.pixels) v = 1 - v;
  return mask;
}

template <typename Change>
void ExpectRejected(const std::vector<BinaryMask>& masks, const char* what,
                    double least, const Change& change) {
  double rejected = 0;
  for (const BinaryMask& mask : masks) {
    rejected += !JudgeLungMask(change(mask)).accepted();
  }
  const double share = rejected / masks.size();
  std::printf("%s: %.1f %% of %zu rejected\n", what, 100 * share, masks.size());
  EXPECT_GE(share, least) << what;
}

TEST(GivenLungMasksTest, AreAcceptedAsTheyAre) {
  const std::vector<BinaryMask> masks = GivenMasks(3);
  if (masks.empty()) GTEST_SKIP() << "no shared masks in " << kFolder;
  double accepted = 0;
  for (const BinaryMask& mask : masks) {
    accepted += JudgeLungMask(mask).accepted();
  }
  EXPECT_GE(accepted, 0.98 * masks.size());
}

TEST(GivenLungMasksTest, AreRejectedInTheWrongPlaceOrShape) {
  const std::vector<BinaryMask> masks = GivenMasks(24);
  if (masks.empty()) GTEST_SKIP() << "no shared masks in " << kFolder;
  ExpectRejected(masks, "turned by 90 degrees", 1,
                 [](const BinaryMask& m) { return Moved(m, 90, 0, 0); });
  ExpectRejected(masks, "turned by 180 degrees", 0.95,
                 [](const BinaryMask& m) { return Moved(m, 180, 0, 0); });
  ExpectRejected(masks, "turned by 30 degrees", 0.95,
                 [](const BinaryMask& m) { return Moved(m, 30, 0, 0); });
  ExpectRejected(masks, "moved left by a quarter", 0.95,
                 [](const BinaryMask& m) { return Moved(m, 0, 0, -0.25); });
  ExpectRejected(masks, "moved right by a quarter", 0.95,
                 [](const BinaryMask& m) { return Moved(m, 0, 0, 0.25); });
  ExpectRejected(masks, "moved down by a quarter", 0.9,
                 [](const BinaryMask& m) { return Moved(m, 0, 0.25, 0); });
  ExpectRejected(masks, "without the upper half", 0.95,
                 [](const BinaryMask& m) { return Halved(m, true, true); });
  ExpectRejected(masks, "without the lower half", 0.85,
                 [](const BinaryMask& m) { return Halved(m, true, false); });
  ExpectRejected(masks, "without the left half", 1,
                 [](const BinaryMask& m) { return Halved(m, false, true); });
  ExpectRejected(masks, "without the right half", 1,
                 [](const BinaryMask& m) { return Halved(m, false, false); });
  ExpectRejected(masks, "inverted", 1, Inverted);
}

}  // namespace
}  // namespace hilum
