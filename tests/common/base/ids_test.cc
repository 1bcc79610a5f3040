// SPDX-License-Identifier: Apache-2.0
#include "common/base/ids.h"

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(IdsTest, NamesAreLowerCaseLettersDigitsAndInnerDashes) {
  EXPECT_TRUE(IsValidName("site-a"));
  EXPECT_TRUE(IsValidName("7"));
  for (const char* bad : {"", "-a", "a-", "A", "a_b", "a b", "a/b", "ä"}) {
    EXPECT_FALSE(IsValidName(bad)) << bad;
  }
  EXPECT_FALSE(IsValidName(std::string(64, 'a')));
}

}  // namespace
}  // namespace hilum
