// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/findings.h"

#include <gtest/gtest.h>

#include <set>

namespace hilum {
namespace {

constexpr Finding kSick[] = {Finding::kGroundGlass,
                             Finding::kLobarConsolidation,
                             Finding::kInterstitialReticular};

Anatomy SomeAnatomy() {
  Rng rng(4, "anatomy");
  return DrawAnatomy(rng);
}

Findings Drawn(Finding kind, uint64_t seed) {
  Rng rng(seed, "findings");
  return DrawFindings(kind, SomeAnatomy(), rng);
}

struct Opacity {
  double right = 0, left = 0, outside = 0;
};

// Sums the opacity over a grid, by where it is.
Opacity Sum(const Findings& findings) {
  const Anatomy anatomy = SomeAnatomy();
  Opacity sum;
  for (double y = -0.95; y < 1; y += 0.05) {
    for (double x = -0.95; x < 1; x += 0.05) {
      const double value = OpacityAt(findings, anatomy, {x, y});
      EXPECT_GE(value, 0);
      if (LungAt(anatomy, Side::kRight, {x, y}) > 0) {
        sum.right += value;
      } else if (LungAt(anatomy, Side::kLeft, {x, y}) > 0) {
        sum.left += value;
      } else {
        sum.outside += value;
      }
    }
  }
  return sum;
}

TEST(FindingsTest, LabelsStandForTheirFindingAndOthersForNone) {
  EXPECT_EQ(FindingOf("covid19"), Finding::kGroundGlass);
  EXPECT_EQ(FindingOf("bacterial"), Finding::kLobarConsolidation);
  EXPECT_EQ(FindingOf("viral"), Finding::kInterstitialReticular);
  EXPECT_EQ(FindingOf("normal"), Finding::kNone);
  EXPECT_EQ(FindingOf(""), Finding::kNone);
}

TEST(FindingsTest, OpacitiesAreInTheLungsAndNowhereElse) {
  for (Finding kind : kSick) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      const Opacity sum = Sum(Drawn(kind, seed));
      EXPECT_GT(sum.right + sum.left, 0);
      EXPECT_EQ(sum.outside, 0);
    }
  }
  const Opacity healthy = Sum(Drawn(Finding::kNone, 1));
  EXPECT_EQ(healthy.right + healthy.left, 0);
}

// The classes differ in more than their texture.
TEST(FindingsTest, ConsolidationIsOfOneLungAndTheOthersOfBoth) {
  std::set<Side> sides;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Findings lobar = Drawn(Finding::kLobarConsolidation, seed);
    const Opacity sum = Sum(lobar);
    EXPECT_EQ(lobar.side == Side::kRight ? sum.left : sum.right, 0);
    sides.insert(lobar.side);
    for (Finding kind : {kSick[0], kSick[2]}) {
      const Opacity both = Sum(Drawn(kind, seed));
      EXPECT_GT(both.right, 0);
      EXPECT_GT(both.left, 0);
    }
  }
  EXPECT_EQ(sides.size(), 2u);
}

}  // namespace
}  // namespace hilum
