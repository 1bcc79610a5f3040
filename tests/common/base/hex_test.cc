// SPDX-License-Identifier: Apache-2.0
#include "common/base/hex.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(HexTest, DigitsOfEitherCaseAreBytes) {
  EXPECT_EQ(FromHex("00aBfF"), std::string("\0\xab\xff", 3));
  EXPECT_EQ(FromHex(""), "");
}

TEST(HexTest, WhatIsNoWholeNumberOfBytesIsNothing) {
  for (const char* text : {"0", "0x", "gg", "a b ", "-1"}) {
    EXPECT_FALSE(FromHex(text).has_value()) << text;
  }
  EXPECT_TRUE(IsHex("abc"));
  EXPECT_FALSE(IsHex("abcg"));
}

}  // namespace
}  // namespace hilum
