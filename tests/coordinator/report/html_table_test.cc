// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_table.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(HtmlTableTest, HeadHasItsOwnCellsAndRowsKeepTheirOrder) {
  EXPECT_EQ(Table({"a", "b"}, {{"1", "2"}, {"3", "4"}}),
            "<div class='wide'><table><thead>"
            "<tr><th>a</th><th>b</th></tr>\n</thead><tbody>"
            "<tr><td>1</td><td>2</td></tr>\n<tr><td>3</td><td>4</td></tr>\n"
            "</tbody></table></div>\n");
}

// Cells are HTML already: escaped again, bold sums would show their tags.
TEST(HtmlTableTest, CellsAreTakenAsHtml) {
  EXPECT_EQ(Row({"<b>cohort</b>", "&amp;"}),
            "<tr><td><b>cohort</b></td><td>&amp;</td></tr>\n");
}

TEST(HtmlTableTest, TableWithoutRowsHasItsHead) {
  EXPECT_EQ(Table({"a"}, {}),
            "<div class='wide'><table><thead><tr><th>a</th></tr>\n"
            "</thead><tbody></tbody></table></div>\n");
}

}  // namespace
}  // namespace hilum
