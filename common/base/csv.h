// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_CSV_H_
#define HILUM_COMMON_BASE_CSV_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

using CsvRecord = std::vector<std::string>;

// The format in which a CSV file turned out to be written.
struct CsvDialect {
  char delimiter = ',';  // or ';', or a tab
  // "UTF-8", "UTF-16", or "an older encoding" that is neither.
  absl::string_view encoding = "UTF-8";
};

// Parses RFC 4180 records: quotes, doubled quotes; lines end in CRLF, LF or,
// where there is no LF, CR. Also accepts the forms of spreadsheets: a byte
// order mark, UTF-16, a first line "sep=X" (which is no record), semicolons or
// tabs. The delimiter is the one of comma, semicolon and tab that is most
// frequent outside quotes in the first record. Returns UTF-8; text in an older
// encoding stays unchanged. INVALID_ARGUMENT: a quote that does not close, with
// its row; damaged UTF-16; a file that is no text (a workbook, UTF-32), and
// what to do.
absl::StatusOr<std::vector<CsvRecord>> ParseCsv(absl::string_view text,
                                                CsvDialect* dialect = nullptr);

// A table that people keep: a header, and rows with as many cells.
struct CsvTable {
  struct Row {
    int number;       // 1 is the header, as a spreadsheet counts
    CsvRecord cells;  // as many as in the header, without outer blanks
  };
  CsvDialect dialect;
  CsvRecord header;       // each as ColumnName returns it
  std::vector<Row> rows;  // without rows whose cells are all blank

  // Returns the index of the column; -1: there is none. `name`: a ColumnName.
  int Find(absl::string_view name) const;
};

// Parses a table (ParseCsv). INVALID_ARGUMENT also: no row at all, two columns
// with one name.
absl::StatusOr<CsvTable> ReadCsvTable(absl::string_view text);

// Returns a column's name in the form for searches: in lower case, without the
// blanks around it, '_' for each blank or hyphen within.
std::string ColumnName(absl::string_view written);

// Returns "commas", "semicolons" or "tabs".
absl::string_view DelimiterName(const CsvDialect& dialect);

// Returns one field, quoted where RFC 4180 requires it.
std::string CsvField(absl::string_view value);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_CSV_H_
