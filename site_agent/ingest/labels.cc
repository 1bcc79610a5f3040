// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/labels.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/patient_id.h"
#include "common/base/status_macros.h"
#include "common/base/written_path.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxLabelBytes = 256ull << 20;

constexpr int kPatientColumn = 1;  // PatientID's
constexpr int kIssuerColumn = 2;

struct Columns {
  int label = -1;
  int patient = -1;
  int keys[kNumLabelColumns] = {-1, -1, -1, -1, -1, -1};
};

absl::StatusOr<Columns> FindColumns(const CsvTable& table,
                                    const std::string& path) {
  Columns columns{.label = table.Find("label"),
                  .patient = table.Find("patient_id")};
  bool any_key = false;
  for (int i = 0; i < kNumLabelColumns; ++i) {
    columns.keys[i] = table.Find(ColumnName(kLabelColumns[i]));
    // An issuer alone identifies nobody.
    any_key = any_key || (columns.keys[i] >= 0 && i != kIssuerColumn);
  }
  if (columns.label >= 0 && any_key) return columns;
  return absl::InvalidArgumentError(absl::StrCat(
      path, ":1: the first row has ", table.header.size(),
      table.header.size() == 1 ? " field" : " fields", " separated by ",
      DelimiterName(table.dialect),
      "; it must name label and one or more of file, PatientID, "
      "StudyInstanceUID, AccessionNumber, SOPInstanceUID (with PatientID also "
      "IssuerOfPatientID)"));
}

std::string Cell(const CsvRecord& record, int column) {
  return column < 0 ? "" : record[static_cast<size_t>(column)];
}

// Normalises patients and issuers first: images and tables write them
// differently.
std::string KeyOf(const Pseudonyms& pseudonyms, int column,
                  absl::string_view value) {
  const bool of_person = column == kPatientColumn || column == kIssuerColumn;
  return pseudonyms.Of(kLabelColumns[column],
                       of_person ? NormalPatientId(value) : std::string(value));
}

// Returns a path in the form that WalkFolder gives, however it was written.
std::string AsWalked(const std::string& path, const std::string& folder) {
  namespace fs = std::filesystem;
  const std::string below = absl::StrCat(folder, "/");
  const fs::path normal = fs::path(path).lexically_normal();
  if (absl::StartsWith(normal.string(), below)) return normal.string();
  std::error_code error;
  const fs::path real =
      fs::weakly_canonical(normal.parent_path(), error) / normal.filename();
  return !error && absl::StartsWith(real.string(), below) ? real.string()
                                                          : normal.string();
}

// Returns the file of a `file` cell; INVALID_ARGUMENT if two files are
// possible.
absl::StatusOr<std::string> FileOf(const std::string& cell,
                                   const std::string& path,
                                   const std::string& folder) {
  if (IsWindowsPath(cell)) {
    return absl::InvalidArgumentError(
        "its file is a path of Windows with a drive or server; write it "
        "relative to the labels file");
  }
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path beside = fs::weakly_canonical(path, error).parent_path();
  const std::string at_labels = ResolveWrittenPath(beside.string(), cell);
  const std::string in_folder = ResolveWrittenPath(folder, cell);
  if (at_labels == in_folder || !FileExists(at_labels)) return in_folder;
  if (!FileExists(in_folder)) return at_labels;
  return absl::InvalidArgumentError(
      "its file is there both beside the labels and in the folder that is "
      "read; write it absolute");
}

class Reader {
 public:
  Reader(const std::string& path, const std::string& folder,
         const Pseudonyms& pseudonyms, const Columns& columns)
      : path_(path),
        folder_(folder),
        pseudonyms_(pseudonyms),
        columns_(columns) {}

  void Add(const CsvRecord& record, int number, LabelFile& file) {
    auto row = MakeRow(record);
    if (!row.ok()) {
      file.unused.push_back(
          absl::StrCat(path_, ":", number, ": ", row.status().message()));
      return;
    }
    auto [place, is_new] =
        seen_.emplace(std::make_pair(row->columns, row->key),
                      std::make_pair(file.rows.size(), number));
    if (is_new) {
      file.rows.push_back(*std::move(row));
      return;
    }
    LabelRow& first = file.rows[place->second.first];
    const bool label = first.label != row->label;
    if (!label && first.patient == row->patient) return;
    first.problem = absl::StrCat("rows ", place->second.second, " and ", number,
                                 " of the labels file give it two ",
                                 label ? "labels" : "patients");
    file.unused.push_back(absl::StrCat(
        path_, ":", number, ": another ", label ? "label" : "patient",
        " than row ", place->second.second, " for the same images"));
  }

 private:
  absl::StatusOr<LabelRow> MakeRow(const CsvRecord& record) {
    LabelRow row{.label = Cell(record, columns_.label)};
    if (row.label.empty()) return absl::InvalidArgumentError("no label");
    IdKeys keys;
    for (int i = 0; i < kNumLabelColumns; ++i) {
      std::string cell = Cell(record, columns_.keys[i]);
      if (cell.empty()) continue;
      if (i == 0) {
        HILUM_ASSIGN_OR_RETURN(cell, FileOf(cell, path_, folder_));
        cell = AsWalked(cell, folder_);
      }
      keys.of[i] = KeyOf(pseudonyms_, i, cell);
      row.columns |= 1 << i;
    }
    if ((row.columns & ~4) == 0) {
      return absl::InvalidArgumentError("it names no image");
    }
    row.key = CombinedKey(keys, row.columns);
    row.patient = pseudonyms_.Patient("", Cell(record, columns_.patient));
    return row;
  }

  const std::string& path_;
  const std::string& folder_;
  const Pseudonyms& pseudonyms_;
  const Columns columns_;
  // The position and the number of the row for each column and key.
  std::map<std::pair<int, std::string>, std::pair<size_t, int>> seen_;
};

// Notes ids of a column that may be one patient's.
void AddSimilar(const CsvTable& table, int column, const std::string& path,
                LabelFile& file) {
  if (column < 0) return;
  std::vector<std::string> ids;
  std::vector<int> numbers;
  for (const CsvTable::Row& row : table.rows) {
    if (row.cells.size() != table.header.size()) continue;
    ids.push_back(NormalPatientId(row.cells[static_cast<size_t>(column)]));
    numbers.push_back(row.number);
  }
  const std::vector<absl::string_view> views(ids.begin(), ids.end());
  for (const SimilarIds& pair : FindSimilarIds(views)) {
    file.notes.push_back(absl::StrCat(
        path, ":", numbers[pair.second], ": its patient is like that of row ",
        numbers[pair.first],
        " but for capitals, blanks, leading zeros or a \".0\"; they count as "
        "different patients"));
  }
}

}  // namespace

IdKeys KeysOf(const Pseudonyms& pseudonyms, absl::string_view name,
              const ImageIds& ids) {
  const absl::string_view values[kNumLabelColumns] = {
      name,      ids.patient,   ids.issuer,
      ids.study, ids.accession, ids.sop_instance};
  IdKeys keys;
  for (int i = 0; i < kNumLabelColumns; ++i) {
    keys.of[i] = KeyOf(pseudonyms, i, values[i]);
  }
  return keys;
}

std::string CombinedKey(const IdKeys& keys, int columns) {
  std::string all;
  for (int i = 0; i < kNumLabelColumns; ++i) {
    if ((columns >> i & 1) == 0) continue;
    if (keys.of[i].empty()) return "";
    all += keys.of[i];
  }
  return Sha256Of(all);
}

absl::StatusOr<LabelFile> ReadLabelFile(const std::string& path,
                                        const std::string& folder,
                                        const Pseudonyms& pseudonyms) {
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxLabelBytes));
  const absl::StatusOr<CsvTable> table = ReadCsvTable(text);
  if (!table.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", table.status().message()));
  }
  HILUM_ASSIGN_OR_RETURN(const Columns columns, FindColumns(*table, path));
  Reader reader(path, folder, pseudonyms, columns);
  LabelFile file;
  for (const CsvTable::Row& row : table->rows) {
    if (row.cells.size() == table->header.size()) {
      reader.Add(row.cells, row.number, file);
    } else {
      file.unused.push_back(
          absl::StrCat(path, ":", row.number, ": ", row.cells.size(),
                       " fields where the header has ", table->header.size()));
    }
  }
  AddSimilar(*table, columns.patient, path, file);
  AddSimilar(*table, columns.keys[kPatientColumn], path, file);
  return file;
}

}  // namespace hilum
