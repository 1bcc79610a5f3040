// SPDX-License-Identifier: Apache-2.0
#include "common/base/utf.h"

#include "gtest/gtest.h"

namespace hilum {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (int value : values) bytes += static_cast<char>(value);
  return bytes;
}

TEST(UtfTest, Utf16IsToldByItsMarkOrItsZeros) {
  EXPECT_EQ(Utf16OrderOf(Bytes({0xff, 0xfe, 'a', 0})), Utf16Order::kLittle);
  EXPECT_EQ(Utf16OrderOf(Bytes({0xfe, 0xff, 0, 'a'})), Utf16Order::kBig);
  EXPECT_EQ(Utf16OrderOf(Bytes({'a', 0, 'b', 0})), Utf16Order::kLittle);
  EXPECT_EQ(Utf16OrderOf(Bytes({0, 'a', 0, 'b'})), Utf16Order::kBig);
  EXPECT_EQ(Utf16OrderOf("file,label"), Utf16Order::kNone);
  EXPECT_EQ(Utf16OrderOf(""), Utf16Order::kNone);
  EXPECT_EQ(Utf16OrderOf(Bytes({'a', 0, 'b', 'c'})), Utf16Order::kNone);
}

TEST(UtfTest, CharactersOfEveryLengthAreConverted) {
  // a, e with an acute accent, the euro sign, and U+1F600 as a pair.
  EXPECT_EQ(
      *Utf8FromUtf16(Bytes({'a', 0, 0xe9, 0, 0xac, 0x20, 0x3d, 0xd8, 0, 0xde}),
                     Utf16Order::kLittle),
      "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(
      *Utf8FromUtf16(Bytes({0, 'a', 0xd8, 0x3d, 0xde, 0}), Utf16Order::kBig),
      "a\xf0\x9f\x98\x80");
}

TEST(UtfTest, HalvesOfPairsAndOddLengthsAreErrors) {
  for (const std::string& bad :
       {Bytes({'a'}), Bytes({0x3d, 0xd8}), Bytes({0, 0xde, 'a', 0}),
        Bytes({0x3d, 0xd8, 'a', 0})}) {
    EXPECT_FALSE(Utf8FromUtf16(bad, Utf16Order::kLittle).ok());
  }
}

TEST(UtfTest, Utf8IsNeitherLatin1NorOverlong) {
  EXPECT_TRUE(IsUtf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const char* bad : {"M\xfcller", "\xc0\xaf", "\xe0\x80\x80",
                          "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\x80"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace hilum
