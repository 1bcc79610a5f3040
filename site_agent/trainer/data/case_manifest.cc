// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_manifest.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/patient_id.h"
#include "common/base/status_macros.h"
#include "common/base/written_path.h"
#include "site_agent/trainer/data/manifest_table.h"

namespace hilum {
namespace {

struct Columns {
  int file = -1, label = -1, patient_id = -1, mask = -1, site = -1;
};

// Names the missing column. Does not quote the first row: in a file without a
// header it is a patient's.
absl::Status NoColumn(const CsvTable& table, const std::string& path,
                      absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat(
      path, ":1: no column '", name, "'; the first row has ",
      table.header.size(), table.header.size() == 1 ? " field" : " fields",
      " separated by ", DelimiterName(table.dialect),
      ", and must name file,label,patient_id and optionally mask,site,view"));
}

absl::StatusOr<Columns> FindColumns(const CsvTable& table,
                                    const std::string& path,
                                    const ManifestOptions& options) {
  Columns columns{.file = table.Find("file"),
                  .label = table.Find("label"),
                  .patient_id = table.Find("patient_id"),
                  .mask = table.Find("mask")};
  if (columns.file < 0) return NoColumn(table, path, "file");
  if (columns.label < 0) return NoColumn(table, path, "label");
  if (columns.patient_id < 0) return NoColumn(table, path, "patient_id");
  if (options.site_column.empty()) return columns;
  columns.site = table.Find(ColumnName(options.site_column));
  if (columns.site < 0) return NoColumn(table, path, options.site_column);
  return columns;
}

std::string FolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Says why a label is none of the study's. Does not quote the label: in a
// misplaced column it may be a patient's name.
std::string UnknownLabel(absl::string_view label,
                         absl::Span<const std::string> classes) {
  for (const std::string& known : classes) {
    if (!absl::EqualsIgnoreCase(known, label)) continue;
    return absl::StrCat("its label is the study's '", known,
                        "' but for capital letters; write it so");
  }
  return absl::StrCat("unknown label; the study's are ",
                      absl::StrJoin(classes, ", "));
}

// Returns the reason why a file cannot be one, or empty.
std::string FileFault(const std::string& file) {
  if (file.empty()) return "no file";
  if (file.find('\0') != std::string::npos) return "file name has a NUL";
  if (!IsWindowsPath(file)) return "";
  return "its file is a path of Windows with a drive or server; write it "
         "relative to the manifest";
}

// Returns the reason why these cells cannot be a case, or empty.
std::string FillCase(const CsvRecord& cells, const Columns& columns,
                     absl::Span<const std::string> classes, CaseRow& row) {
  row.patient_id = NormalPatientId(cells[columns.patient_id]);
  const std::string& label = cells[columns.label];
  auto known = std::find(classes.begin(), classes.end(), label);
  row.label = static_cast<int>(known - classes.begin());
  std::string fault = FileFault(row.file);
  if (!fault.empty()) return fault;
  if (known == classes.end()) return UnknownLabel(label, classes);
  if (row.patient_id.empty()) return "no patient_id";
  return "";
}

void AddRow(CsvTable::Row& from, size_t width, const Columns& columns,
            const std::string& folder, absl::Span<const std::string> classes,
            CaseManifest& manifest) {
  ++manifest.rows;
  if (from.cells.size() != width) {
    manifest.rejected.push_back(
        {from.number, "",
         absl::StrCat(from.cells.size(), " fields where the header has ",
                      width)});
    return;
  }
  CaseRow row{.row = from.number, .file = from.cells[columns.file]};
  std::string reason = FillCase(from.cells, columns, classes, row);
  if (!reason.empty()) {
    manifest.rejected.push_back({row.row, row.file, std::move(reason)});
    return;
  }
  row.path = ResolveWrittenPath(folder, row.file);
  if (columns.mask >= 0 && !from.cells[columns.mask].empty()) {
    row.mask = ResolveWrittenPath(folder, from.cells[columns.mask]);
  }
  manifest.cases.push_back(std::move(row));
}

}  // namespace

absl::StatusOr<CaseManifest> ReadCaseManifest(
    const std::string& path, absl::Span<const std::string> classes,
    const ManifestOptions& options) {
  HILUM_ASSIGN_OR_RETURN(CsvTable table, ReadManifestTable(path));
  HILUM_ASSIGN_OR_RETURN(Columns columns, FindColumns(table, path, options));
  CaseManifest manifest{.dialect = table.dialect};
  const std::string folder = FolderOf(path);
  for (CsvTable::Row& row : table.rows) {
    const bool whole = row.cells.size() == table.header.size();
    if (whole && columns.site >= 0 && row.cells[columns.site] != options.site) {
      continue;
    }
    AddRow(row, table.header.size(), columns, folder, classes, manifest);
  }
  return manifest;
}

void RejectCases(CaseManifest& manifest, absl::Span<const CaseFault> faults) {
  std::map<size_t, const std::string*> reasons;
  for (const CaseFault& fault : faults) {
    reasons.emplace(fault.index, &fault.reason);
  }
  std::vector<CaseRow> kept;
  for (size_t i = 0; i < manifest.cases.size(); ++i) {
    CaseRow& row = manifest.cases[i];
    auto fault = reasons.find(i);
    if (fault == reasons.end()) {
      kept.push_back(std::move(row));
    } else {
      manifest.rejected.push_back({row.row, row.file, *fault->second});
    }
  }
  manifest.cases = std::move(kept);
  std::stable_sort(
      manifest.rejected.begin(), manifest.rejected.end(),
      [](const RejectedRow& a, const RejectedRow& b) { return a.row < b.row; });
}

std::vector<CaseFault> FindDuplicates(const CaseManifest& manifest,
                                      absl::Span<const std::string> digests) {
  std::map<absl::string_view, std::vector<size_t>> same;
  for (size_t i = 0; i < digests.size(); ++i) same[digests[i]].push_back(i);
  std::vector<CaseFault> faults;
  for (const auto& [digest, indices] : same) {
    const CaseRow& first = manifest.cases[indices[0]];
    const CaseRow* stranger = nullptr;
    for (size_t i : indices) {
      const CaseRow& row = manifest.cases[i];
      if (stranger == nullptr && row.patient_id != first.patient_id) {
        stranger = &row;
      }
    }
    for (size_t k = 0; k < indices.size(); ++k) {
      const CaseRow& row = manifest.cases[indices[k]];
      if (stranger != nullptr) {
        bool like_first = row.patient_id == first.patient_id;
        faults.push_back(
            {indices[k], absl::StrCat("same image as row ",
                                      like_first ? stranger->row : first.row,
                                      ", which has another patient_id")});
      } else if (k > 0) {
        faults.push_back(
            {indices[k], absl::StrCat("same image as row ", first.row)});
      }
    }
  }
  return faults;
}

std::vector<SimilarPatients> FindSimilarPatients(const CaseManifest& manifest) {
  std::vector<absl::string_view> ids;
  for (const CaseRow& row : manifest.cases) ids.push_back(row.patient_id);
  std::vector<SimilarPatients> found;
  for (const SimilarIds& pair : FindSimilarIds(ids)) {
    found.push_back(
        {&manifest.cases[pair.first], &manifest.cases[pair.second]});
  }
  return found;
}

absl::Status CheckBadShare(const CaseManifest& manifest, double max_bad_share) {
  size_t bad = manifest.rejected.size();
  if (!manifest.cases.empty() && bad <= max_bad_share * manifest.rows) {
    return absl::OkStatus();
  }
  std::string first;
  for (size_t i = 0; i < std::min<size_t>(bad, 3); ++i) {
    const RejectedRow& row = manifest.rejected[i];
    absl::StrAppend(&first, "; row ", row.row, ": ", row.reason);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("case manifest: ", bad, " of ", manifest.rows,
                   " rows cannot be used, more than data_rules.max_bad_share ",
                   max_bad_share, " allows or leaving none", first));
}

absl::Status WriteRejected(const CaseManifest& manifest,
                           const std::string& path) {
  std::string out = "row,file,reason\n";
  for (const RejectedRow& row : manifest.rejected) {
    absl::StrAppend(&out, row.row, ",", CsvField(row.file), ",",
                    CsvField(row.reason), "\n");
  }
  return WriteFileAtomically(path, out, Durability::kNone, 0600);
}

}  // namespace hilum
