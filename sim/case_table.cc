// SPDX-License-Identifier: Apache-2.0
#include "sim/case_table.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

std::string CsvLine(const std::vector<std::string>& fields) {
  return absl::StrCat(
      absl::StrJoin(fields, ",",
                    [](std::string* out, const std::string& field) {
                      absl::StrAppend(out, CsvField(field));
                    }),
      "\n");
}

absl::Status CheckTable(const CaseTable& table, absl::string_view name) {
  for (const char* column : {"file", "label", "patient_id"}) {
    if (table.Column(column) < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ":1: no column `", column,
                       "`; a case manifest needs file,label,patient_id"));
    }
  }
  if (table.rows.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": no cases"));
  }
  return absl::OkStatus();
}

}  // namespace

int CaseTable::Column(absl::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? -1 : static_cast<int>(found - header.begin());
}

absl::StatusOr<CaseTable> ParseCaseTable(absl::string_view text,
                                         absl::string_view name) {
  auto records = ParseCsv(text);
  if (!records.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", records.status().message()));
  }
  CaseTable table;
  for (size_t i = 0; i < records->size(); ++i) {
    std::vector<std::string>& fields = (*records)[i];
    if (i == 0) {
      table.header = std::move(fields);
      continue;
    }
    if (fields.size() == 1 && fields[0].empty()) continue;  // an empty line
    if (fields.size() != table.header.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ":", i + 1, ": ", fields.size(), " fields where the header ",
          "has ", table.header.size(), "; give each row as many, and quote ",
          "fields that hold commas"));
    }
    table.rows.push_back(std::move(fields));
  }
  HILUM_RETURN_IF_ERROR(CheckTable(table, name));
  return table;
}

absl::StatusOr<CaseTable> ReadCaseTable(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(path, 1ull << 30));
  HILUM_ASSIGN_OR_RETURN(CaseTable table, ParseCaseTable(text, path));
  const std::filesystem::path folder =
      std::filesystem::absolute(path).lexically_normal().parent_path();
  for (const char* name : {"file", "mask"}) {
    const int column = table.Column(name);
    if (column < 0) continue;
    for (std::vector<std::string>& row : table.rows) {
      if (row[column].empty()) continue;
      row[column] = (folder / row[column]).lexically_normal().string();
    }
  }
  return table;
}

std::string CaseTableText(const CaseTable& table, absl::Span<const int> rows) {
  std::string text = CsvLine(table.header);
  for (int row : rows) text += CsvLine(table.rows[row]);
  return text;
}

}  // namespace hilum
