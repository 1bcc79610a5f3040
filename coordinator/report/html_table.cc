// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_table.h"

#include "absl/strings/str_cat.h"

namespace hilum {

std::string Row(const Cells& cells, const char* tag) {
  std::string row = "<tr>";
  for (const std::string& cell : cells) {
    absl::StrAppend(&row, "<", tag, ">", cell, "</", tag, ">");
  }
  return row + "</tr>\n";
}

std::string Table(const Cells& head, const std::vector<Cells>& rows) {
  std::string table = absl::StrCat("<div class='wide'><table><thead>",
                                   Row(head, "th"), "</thead><tbody>");
  for (const Cells& row : rows) table += Row(row);
  return table + "</tbody></table></div>\n";
}

}  // namespace hilum
