// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_REPORT_HTML_TABLE_H_
#define HILUM_COORDINATOR_REPORT_HTML_TABLE_H_

#include <string>
#include <vector>

namespace hilum {

using Cells = std::vector<std::string>;  // HTML

std::string Row(const Cells& cells, const char* tag = "td");

// Returns a table that scrolls by itself where it is wider than the page.
std::string Table(const Cells& head, const std::vector<Cells>& rows);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_TABLE_H_
