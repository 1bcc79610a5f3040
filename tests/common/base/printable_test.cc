// SPDX-License-Identifier: Apache-2.0
#include "common/base/printable.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(PrintableTest, PlainTextStaysAsItIs) {
  EXPECT_EQ(Printable("round 3: 2 of 4 sites ~ \"ok\"", 300),
            "round 3: 2 of 4 sites ~ \"ok\"");
}

TEST(PrintableTest, WhatMovesATerminalOrEndsALineBecomesNumbers) {
  EXPECT_EQ(Printable("a\nb\r\t\x1b[2J\x7f", 300),
            "a\\x0Ab\\x0D\\x09\\x1B[2J\\x7F");
  EXPECT_EQ(Printable(absl::string_view("\0", 1), 300), "\\x00");
  // CSI as one byte; a right-to-left override in UTF-8.
  EXPECT_EQ(Printable("\x9b"
                      "2J",
                      300),
            "\\x9B2J");
  EXPECT_EQ(Printable("\xe2\x80\xae", 300), "\\xE2\\x80\\xAE");
}

TEST(PrintableTest, BackslashCannotForgeANumber) {
  EXPECT_EQ(Printable("\\x0A", 300), "\\x5Cx0A");
}

TEST(PrintableTest, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(Printable("123456", 6), "123456");
  EXPECT_EQ(Printable("1234567", 6), "123...");
  EXPECT_EQ(Printable("12\n4567", 8), "12...");
  EXPECT_EQ(Printable(std::string(5000, '\n'), 300).size(), 299u);
}

TEST(PrintableTest, ALineStaysAsItIsTheSecondTime) {
  const std::string line = PrintableLine("a\\x0Ab\n\x1b[2J c", 300);
  EXPECT_EQ(line, "a\\x0Ab\\x0A\\x1B[2J c");
  EXPECT_EQ(PrintableLine(line, 300), line);
  EXPECT_EQ(PrintableLine("1234567", 6), "123...");
  EXPECT_EQ(PrintableLine("123...", 6), "123...");
}

}  // namespace
}  // namespace hilum
