// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_CASE_TABLE_H_
#define HILUM_SIM_CASE_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// A case manifest as text, to be dealt out row by row. The site that gets a row
// decides what it means and whether it is usable.
struct CaseTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // as long as the header

  // Returns the column's index; -1: there is no such column.
  int Column(absl::string_view name) const;
};

// Reads CSV (common/base/csv.h); `name` begins the errors. INVALID_ARGUMENT: an
// open quote; a row with more or fewer fields than the header, as NAME:ROW with
// both numbers; no rows; no column `file`, `label` or `patient_id`.
absl::StatusOr<CaseTable> ParseCaseTable(absl::string_view text,
                                         absl::string_view name);

// Reads the table from a file; makes the paths in `file` and `mask` absolute.
absl::StatusOr<CaseTable> ReadCaseTable(const std::string& path);

// Returns CSV of the header and the rows with these indices.
std::string CaseTableText(const CaseTable& table, absl::Span<const int> rows);

}  // namespace hilum

#endif  // HILUM_SIM_CASE_TABLE_H_
