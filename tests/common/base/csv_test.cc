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

TEST(CsvTest, AnOpenQuoteNamesItsRow) {
  EXPECT_THAT(std::string(ParseCsv("a\nb\n\"c").status().message()),
              HasSubstr("row 3"));
}

}  // namespace
}  // namespace hilum
