// SPDX-License-Identifier: Apache-2.0
#include "sim/case_table.h"

#include <algorithm>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

// Splits one record off the front of `text`; false: a quote is left open.
bool TakeRecord(absl::string_view& text, std::vector<std::string>& fields) {
  fields.assign(1, "");
  bool quoted = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        fields.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      ++i;
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  text.remove_prefix(i);
  return !quoted;
}

std::string CsvField(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (char c : field) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + '"';
}

std::string CsvLine(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    absl::StrAppend(&line, line.empty() ? "" : ",", CsvField(field));
  }
  return line + '\n';
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
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  CaseTable table;
  std::vector<std::string> fields;
  for (int row = 1; !text.empty(); ++row) {
    if (!TakeRecord(text, fields)) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": row ", row, ": a quote is never closed"));
    }
    if (row == 1) {
      table.header = fields;
      continue;
    }
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (fields.size() > table.header.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": row ", row, ": ", fields.size(), " fields, but the header",
          " has ", table.header.size(), "; quote fields that hold commas"));
    }
    fields.resize(table.header.size());
    table.rows.push_back(fields);
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
