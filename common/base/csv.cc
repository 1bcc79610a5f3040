// SPDX-License-Identifier: Apache-2.0
#include "common/base/csv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/patient_id.h"
#include "common/base/status_macros.h"
#include "common/base/utf.h"

namespace hilum {
namespace {

constexpr absl::string_view kMark = "\xef\xbb\xbf";

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

// Rejects files that people mistake for CSV.
absl::Status CheckIsText(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "PK\x03\x04")) {
    return Bad(
        "a workbook (.xlsx, .ods) or a zip archive, not CSV; save the sheet as "
        "\"CSV UTF-8\"");
  }
  if (absl::StartsWith(bytes, "\xd0\xcf\x11\xe0")) {
    return Bad("a workbook (.xls), not CSV; save the sheet as \"CSV UTF-8\"");
  }
  if (absl::StartsWith(bytes, absl::string_view("\xff\xfe\0\0", 4)) ||
      absl::StartsWith(bytes, absl::string_view("\0\0\xfe\xff", 4))) {
    return Bad("the file is UTF-32; save it as \"CSV UTF-8\"");
  }
  return absl::OkStatus();
}

// Returns `bytes` as UTF-8 without a byte order mark.
absl::StatusOr<std::string> Decode(absl::string_view bytes,
                                   CsvDialect& dialect) {
  HILUM_RETURN_IF_ERROR(CheckIsText(bytes));
  if (const Utf16Order order = Utf16OrderOf(bytes);
      order != Utf16Order::kNone) {
    dialect.encoding = "UTF-16";
    auto text = Utf8FromUtf16(bytes, order);
    if (text.ok()) return std::string(absl::StripPrefix(*text, kMark));
    return Bad(absl::StrCat("the file is UTF-16, but ", text.status().message(),
                            "; save it as \"CSV UTF-8\""));
  }
  absl::ConsumePrefix(&bytes, kMark);
  if (!IsUtf8(bytes)) dialect.encoding = "an older encoding";
  return std::string(bytes);
}

// Takes a first line "sep=X" off `text`. Excel writes that line and hides it.
bool TakeSepLine(absl::string_view& text, char& delimiter) {
  absl::string_view rest = text;
  const bool quoted = absl::ConsumePrefix(&rest, "\"");
  if (!absl::ConsumePrefix(&rest, "sep=") || rest.empty()) return false;
  const char given = rest[0];
  rest.remove_prefix(1);
  if (quoted && !absl::ConsumePrefix(&rest, "\"")) return false;
  if (!absl::ConsumePrefix(&rest, "\r\n") &&
      !absl::ConsumePrefix(&rest, "\n") && !absl::ConsumePrefix(&rest, "\r")) {
    return false;
  }
  if (absl::string_view(",;\t").find(given) == absl::string_view::npos) {
    return false;
  }
  delimiter = given;
  text = rest;
  return true;
}

// Returns the delimiter that is most frequent outside quotes in the first
// record.
char GuessDelimiter(absl::string_view text) {
  size_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    commas += c == ',';
    semicolons += c == ';';
    tabs += c == '\t';
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

// Splits one text into its records. Life: one call of Split.
class Splitter {
 public:
  Splitter(absl::string_view text, char delimiter)
      : text_(text),
        delimiter_(delimiter),
        old_mac_(text.find('\n') == absl::string_view::npos) {}

  absl::StatusOr<std::vector<CsvRecord>> Split() {
    for (; at_ < text_.size(); ++at_) {
      if (quoted_) {
        TakeQuoted();
      } else if (TakeLineEnd()) {
        EndRecord();
      } else {
        TakePlain();
      }
    }
    if (quoted_) {
      return Bad(absl::StrCat("row ", records_.size() + 1,
                              ": a quoted field is never closed"));
    }
    if (any_) EndRecord();
    return std::move(records_);
  }

 private:
  void TakeQuoted() {
    const char c = text_[at_];
    const bool doubled = c == '"' && Next() == '"';
    if (c != '"' || doubled) field_ += c;
    if (doubled) ++at_;
    if (c == '"' && !doubled) quoted_ = false;
  }

  bool TakeLineEnd() {
    const char c = text_[at_];
    if (c == '\n' || (c == '\r' && old_mac_)) return true;
    if (c != '\r' || Next() != '\n') return false;
    ++at_;
    return true;
  }

  void TakePlain() {
    const char c = text_[at_];
    any_ = true;
    if (c == '"' && field_.empty()) {
      quoted_ = true;
    } else if (c == delimiter_) {
      EndField();
    } else {
      field_ += c;
    }
  }

  // Returns '\0' also at the end, where no caller asks for it.
  char Next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }

  void EndField() {
    record_.push_back(std::move(field_));
    field_.clear();
  }

  void EndRecord() {
    EndField();
    records_.push_back(std::move(record_));
    record_.clear();
    any_ = false;
  }

  const absl::string_view text_;
  const char delimiter_;
  const bool old_mac_;  // CR ends lines
  size_t at_ = 0;
  bool quoted_ = false, any_ = false;
  std::string field_;
  CsvRecord record_;
  std::vector<CsvRecord> records_;
};

}  // namespace

absl::StatusOr<std::vector<CsvRecord>> ParseCsv(absl::string_view bytes,
                                                CsvDialect* dialect) {
  CsvDialect own;
  CsvDialect& found = dialect != nullptr ? *dialect : own;
  found = {};
  HILUM_ASSIGN_OR_RETURN(const std::string decoded, Decode(bytes, found));
  absl::string_view text = decoded;
  if (!TakeSepLine(text, found.delimiter)) {
    found.delimiter = GuessDelimiter(text);
  }
  return Splitter(text, found.delimiter).Split();
}

int CsvTable::Find(absl::string_view name) const {
  const auto at = std::find(header.begin(), header.end(), name);
  return at == header.end() ? -1 : static_cast<int>(at - header.begin());
}

absl::StatusOr<CsvTable> ReadCsvTable(absl::string_view text) {
  CsvTable table;
  HILUM_ASSIGN_OR_RETURN(std::vector<CsvRecord> records,
                         ParseCsv(text, &table.dialect));
  if (records.empty()) return Bad("it has no rows");
  for (const std::string& name : records[0]) {
    table.header.push_back(ColumnName(name));
    if (table.header.back().empty()) continue;
    if (table.Find(table.header.back()) + 1u == table.header.size()) continue;
    return Bad(absl::StrCat("column ", table.Find(table.header.back()) + 1,
                            " and column ", table.header.size(),
                            " have the same name; each column's must be there "
                            "once, not twice"));
  }
  for (size_t i = 1; i < records.size(); ++i) {
    bool blank = true;
    for (std::string& cell : records[i]) {
      cell = std::string(StripBlanks(cell));
      blank = blank && cell.empty();
    }
    if (blank) continue;
    table.rows.push_back({static_cast<int>(i) + 1, std::move(records[i])});
  }
  return table;
}

std::string ColumnName(absl::string_view written) {
  std::string name = absl::AsciiStrToLower(StripBlanks(written));
  for (char& c : name) {
    if (c == ' ' || c == '-') c = '_';
  }
  return name;
}

absl::string_view DelimiterName(const CsvDialect& dialect) {
  if (dialect.delimiter == ';') return "semicolons";
  return dialect.delimiter == '\t' ? "tabs" : "commas";
}

std::string CsvField(absl::string_view value) {
  if (value.find_first_of(",\"\r\n") == absl::string_view::npos) {
    return std::string(value);
  }
  std::string out = "\"";
  for (char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace hilum
