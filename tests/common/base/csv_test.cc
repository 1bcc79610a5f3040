// SPDX-License-Identifier: Apache-2.0
#include "common/base/csv.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CsvTest, QuotesCrlfAndByteOrderMarkAreUnderstood) {
  auto records = ParseCsv(
      "\xef\xbb\xbf"
      "a,b\r\n\"x,\"\"y\"\"\n\",2\r\n,");
  ASSERT_TRUE(records.ok());
  EXPECT_THAT(*records,
              ElementsAre(ElementsAre("a", "b"), ElementsAre("x,\"y\"\n", "2"),
                          ElementsAre("", "")));
  EXPECT_EQ(CsvField("x,\"y\""), "\"x,\"\"y\"\"\"");
}

std::string Utf16(const std::string& text, bool mark) {
  std::string bytes = mark ? "\xff\xfe" : "";
  for (char c : text) bytes += {c, '\0'};
  return bytes;
}

TEST(CsvTest, WhatSpreadsheetsWriteIsTheSameTable) {
  const std::vector<CsvRecord> want = {{"file", "label"}, {"a;1", "x,y"}};
  for (const std::string& text :
       {std::string("file,label\na;1,\"x,y\"\n"),
        std::string("file;label\r\n\"a;1\";x,y\r\n"),
        std::string("file\tlabel\na;1\tx,y"),
        std::string("\xef\xbb\xbfsep=;\r\nfile;label\r\n\"a;1\";x,y\r\n"),
        std::string("\"sep=\t\"\nfile\tlabel\na;1\tx,y\n"),
        std::string("sep=,\nfile,label\na;1,\"x,y\"\n"),
        Utf16("file\tlabel\r\na;1\tx,y\r\n", true),
        Utf16("file;label\r\n\"a;1\";x,y\r\n", false),
        std::string("file,label\ra;1,\"x,y\"\r")}) {
    auto records = ParseCsv(text);
    ASSERT_TRUE(records.ok()) << records.status() << text;
    EXPECT_EQ(*records, want) << text;
  }
}

TEST(CsvTest, TheDialectIsSaid) {
  CsvDialect dialect;
  ASSERT_TRUE(ParseCsv("a;b\n1,5;2\n", &dialect).ok());
  EXPECT_EQ(DelimiterName(dialect), "semicolons");
  EXPECT_EQ(dialect.encoding, "UTF-8");
  ASSERT_TRUE(ParseCsv(Utf16("a\tb\n", true), &dialect).ok());
  EXPECT_EQ(DelimiterName(dialect), "tabs");
  EXPECT_EQ(dialect.encoding, "UTF-16");
  ASSERT_TRUE(ParseCsv("a,b\nM\xfcller,2\n", &dialect).ok());
  EXPECT_EQ(DelimiterName(dialect), "commas");
  EXPECT_EQ(dialect.encoding, "an older encoding");
  // A delimiter within quotes does not count.
  ASSERT_TRUE(ParseCsv("\"a;;;;\",b\n", &dialect).ok());
  EXPECT_EQ(dialect.delimiter, ',');
}

TEST(CsvTest, WhatIsNoTextIsNamed) {
  for (auto [bytes, what] :
       {std::pair<std::string, const char*>{"PK\x03\x04...", "workbook"},
        {"\xd0\xcf\x11\xe0...", "workbook"},
        {std::string("\xff\xfe\0\0a\0\0\0", 8), "UTF-32"},
        {Utf16("a", true) + "b", "UTF-16"}}) {
    const std::string said(ParseCsv(bytes).status().message());
    EXPECT_THAT(said, HasSubstr(what));
    EXPECT_THAT(said, HasSubstr("CSV UTF-8"));
  }
}

TEST(CsvTest, TablesForgiveCapitalsBlanksAndEmptyRows) {
  auto table = ReadCsvTable(
      "File, Patient ID ,,\n a.png , P001 ,,\n,,,\n ,\n\nb.png,P2,,\n,,,\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->header, ElementsAre("file", "patient_id", "", ""));
  EXPECT_EQ(table->Find("patient_id"), 1);
  EXPECT_EQ(table->Find("label"), -1);
  ASSERT_EQ(table->rows.size(), 2u);
  EXPECT_EQ(table->rows[0].number, 2);
  EXPECT_THAT(table->rows[0].cells, ElementsAre("a.png", "P001", "", ""));
  EXPECT_EQ(table->rows[1].number, 6);
}

TEST(CsvTest, ATableHasAHeaderOfDifferentNames) {
  EXPECT_THAT(std::string(ReadCsvTable("").status().message()),
              HasSubstr("no rows"));
  EXPECT_THAT(std::string(ReadCsvTable("a,b,A\n").status().message()),
              HasSubstr("column 1 and column 3"));
}

TEST(CsvTest, AnOpenQuoteNamesItsRow) {
  EXPECT_THAT(std::string(ParseCsv("a\nb\n\"c").status().message()),
              HasSubstr("row 3"));
}

}  // namespace
}  // namespace hilum
