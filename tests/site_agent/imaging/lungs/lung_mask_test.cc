// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/lungs/lung_mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/site_agent/imaging/lungs/drawn_lungs.h"

namespace hilum {
namespace {

int Area(const BinaryMask& mask) {
  return std::accumulate(mask.pixels.begin(), mask.pixels.end(), 0);
}

TEST(LungMaskTest, RegionsAreThoseOfALabelThatSpreadsUntilNothingChanges) {
  BinaryMask mask{7, 9, {}};
  uint32_t bits = 12345;
  for (int i = 0; i < 63; ++i) {
    bits = bits * 1664525 + 1013904223;
    mask.pixels.push_back(bits >> 30 & 1);
  }
  for (bool corners : {false, true}) {
    // A slow reference: each pixel takes the least label next to it.
    std::vector<int> label(63);
    std::iota(label.begin(), label.end(), 0);
    for (bool changed = true; changed;) {
      changed = false;
      for (int a = 0; a < 63; ++a) {
        for (int b = 0; b < 63; ++b) {
          const int dr = std::abs(a / 9 - b / 9), dc = std::abs(a % 9 - b % 9);
          if (dr > 1 || dc > 1 || (!corners && dr + dc > 1)) continue;
          if (mask.pixels[a] != mask.pixels[b] || label[b] >= label[a])
            continue;
          label[a] = label[b];
          changed = true;
        }
      }
    }
    const RegionMap map =
        FindRegions(mask, 1, corners ? Neighbours::kEight : Neighbours::kFour);
    for (int a = 0; a < 63; ++a) {
      EXPECT_EQ(map.labels[a] >= 0, mask.pixels[a] == 1);
      for (int b = 0; b < a; ++b) {
        if (mask.pixels[a] == 0 || mask.pixels[b] == 0) continue;
        EXPECT_EQ(map.labels[a] == map.labels[b], label[a] == label[b]);
      }
    }
  }
}

TEST(LungMaskTest, CleaningDropsIslandsAndFillsHoles) {
  BinaryMask dirty = Lungs();
  Fill(dirty, {100, 110, 4, 4});
  Fill(dirty, {60, 36, 3, 3}, 0);
  EXPECT_EQ(CleanLungMask(dirty).pixels, Lungs().pixels);
  const BinaryMask kept =
      CleanLungMask(dirty, {.min_island_share = 0, .fill_holes = false});
  EXPECT_EQ(kept.pixels, dirty.pixels);
}

TEST(LungMaskTest, AHullGivesBackABiteButNotTheSpaceBetweenLungs) {
  BinaryMask bitten = Lungs();
  Fill(bitten, {60, 17, 8, 10}, 0);
  ASSERT_LT(Area(bitten), Area(Lungs()) - 50);
  const BinaryMask hull = CleanLungMask(bitten, {.convex_hull = true});
  EXPECT_GT(Area(hull), 0.97 * Area(Lungs()));
  for (int r = 0; r < kSide; ++r) EXPECT_EQ(hull.pixels[r * kSide + 60], 0);
  // A disc is already convex.
  BinaryMask disc = Empty();
  Fill(disc, {60, 60, 20, 20});
  EXPECT_EQ(CleanLungMask(disc, {.convex_hull = true}).pixels, disc.pixels);
}

TEST(LungMaskTest, DilationIsByADisc) {
  BinaryMask dot = Empty(), disc = Empty();
  dot.pixels[60 * kSide + 60] = 1;
  Fill(disc, {60, 60, 6, 6});
  EXPECT_EQ(CleanLungMask(dot, {.min_island_share = 0, .dilation_share = 0.05})
                .pixels,
            disc.pixels);
  dot.pixels = std::vector<uint8_t>(kSide * kSide, 1);  // up to the border
  EXPECT_EQ(CleanLungMask(dot, {.dilation_share = 0.05}).pixels, dot.pixels);
}

TEST(LungMaskTest, LungsThatTouchAreToldApart) {
  BinaryMask joined = Lungs();
  Fill(joined, {70, 59.5, 3, 30});
  ASSERT_EQ(FindRegions(joined, 1, Neighbours::kEight).regions.size(), 1u);
  const auto lungs = SplitLungs(joined);
  EXPECT_NEAR(Area(lungs[0]), Area(lungs[1]), 0.05 * Area(lungs[0]));
  EXPECT_EQ(MeasureLungMask(joined).lungs, 2);
  BinaryMask single = Empty();
  Fill(single, {60, 40, 35, 20});
  EXPECT_EQ(Area(SplitLungs(single)[1]), 0);
}

}  // namespace
}  // namespace hilum
