// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/upright/turn.h"

#include <gtest/gtest.h>

#include <vector>

namespace hilum {
namespace {

const std::vector<int> kPixels = {1, 2, 3,  //
                                  4, 5, 6};

std::vector<int> Turned(const Turn& turn) {
  return TurnPixels<int>(2, 3, kPixels, turn);
}

TEST(TurnTest, AQuarterIsClockwiseAndAMirrorComesFirst) {
  EXPECT_EQ(Turned({}), kPixels);
  EXPECT_EQ(Turned({1, false}), (std::vector<int>{4, 1, 5, 2, 6, 3}));
  EXPECT_EQ(Turned({2, false}), (std::vector<int>{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(Turned({3, false}), (std::vector<int>{3, 6, 2, 5, 1, 4}));
  EXPECT_EQ(Turned({0, true}), (std::vector<int>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(Turned({1, true}), (std::vector<int>{6, 3, 5, 2, 4, 1}));
}

TEST(TurnTest, OneAfterTheOtherIsOne) {
  for (int a = 0; a < kNumTurns; ++a) {
    const Turn first = TurnOfIndex(a);
    EXPECT_EQ(IndexOf(first), a);
    EXPECT_EQ(Then(first, Undoing(first)), Turn{}) << a;
    const std::vector<int> once = Turned(first);
    const int rows = Transposes(first) ? 3 : 2;
    for (int b = 0; b < kNumTurns; ++b) {
      const Turn second = TurnOfIndex(b);
      EXPECT_EQ(TurnPixels<int>(rows, 5 - rows, once, second),
                Turned(Then(first, second)))
          << a << " then " << b;
    }
  }
}

TEST(TurnTest, NamesAreForPeople) {
  EXPECT_EQ(NameOf({}), "upright");
  EXPECT_EQ(NameOf({0, true}), "mirrored");
  EXPECT_EQ(NameOf({1, false}), "turned by 90 degrees clockwise");
  EXPECT_EQ(NameOf({2, true}), "mirrored and turned by 180 degrees");
}

}  // namespace
}  // namespace hilum
