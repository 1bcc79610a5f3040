// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_CASE_TABLE_H_
#define HILUM_SIM_CASE_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// A case manifest as text, to be dealt out row by row. What a row means, and
// whether it can be used, is for the site that gets it to judge.
struct CaseTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // as long as the header

  // -1 where there is no such column.
  int Column(absl::string_view name) const;
};

// Reads CSV as common/base/csv.h does; `name` begins the errors.
// INVALID_ARGUMENT: an open quote; a row with more or fewer fields than the
// header, as NAME:ROW with both numbers; no rows; no column `file`, `label` or
// `patient_id`.
absl::StatusOr<CaseTable> ParseCaseTable(absl::string_view text,
                                         absl::string_view name);

// The same from a file; `file` and `mask` become absolute paths.
absl::StatusOr<CaseTable> ReadCaseTable(const std::string& path);

// CSV of the header and the rows with these indices.
std::string CaseTableText(const CaseTable& table, absl::Span<const int> rows);

}  // namespace hilum

#endif  // HILUM_SIM_CASE_TABLE_H_
