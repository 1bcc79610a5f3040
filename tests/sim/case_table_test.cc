// SPDX-License-Identifier: Apache-2.0
#include "sim/case_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Fault(absl::string_view text) {
  return std::string(ParseCaseTable(text, "m.csv").status().message());
}

TEST(CaseTableTest, QuotesCommasAndCrLfSurviveTheWayThere) {
  const auto table = ParseCaseTable(
      "\xef\xbb\xbf"
      "file,label,patient_id,note\r\n"
      "a.png,normal,p1,\"one, \"\"two\"\"\"\r\n\r\n"
      "b.png,viral,p2,\r\n",
      "m.csv");
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->rows.size(), 2u);
  EXPECT_EQ(table->rows[0][3], "one, \"two\"");
  EXPECT_THAT(table->rows[1], ElementsAre("b.png", "viral", "p2", ""));
  const auto again = ParseCaseTable(CaseTableText(*table, {1, 0}), "again");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->rows[1], table->rows[0]);
  EXPECT_EQ(again->rows[0], table->rows[1]);
}

TEST(CaseTableTest, ErrorsNameFileAndRow) {
  EXPECT_THAT(
      std::string(
          ParseCaseTable("file,label\na,b\n", "m.csv").status().message()),
      HasSubstr("m.csv:1: no column `patient_id`"));
  EXPECT_THAT(Fault("file,label,patient_id\n\"a,b,c\n"),
              HasSubstr("m.csv: row 2: a quoted field is never closed"));
  EXPECT_THAT(std::string(ParseCaseTable("file,label,patient_id\n", "m.csv")
                              .status()
                              .message()),
              HasSubstr("no cases"));
}

// The trainer refuses such rows, so the simulator must not pad short ones.
TEST(CaseTableTest, ARowOfAnotherLengthIsRefusedWithBothCounts) {
  EXPECT_THAT(Fault("file,label,patient_id,mask\na,b,c,\n\na,b,c\n"),
              HasSubstr("m.csv:4: 3 fields where the header has 4"));
  EXPECT_THAT(Fault("file,label,patient_id\na,b,c,d\n"),
              HasSubstr("m.csv:2: 4 fields where the header has 3"));
}

}  // namespace
}  // namespace hilum
