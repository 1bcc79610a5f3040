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
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxManifestBytes = 256ull << 20;

using Record = std::vector<std::string>;

struct Columns {
  int file = -1, label = -1, patient_id = -1, mask = -1, site = -1;
};

absl::StatusOr<Columns> FindColumns(const Record& header,
                                    const std::string& path,
                                    const ManifestOptions& options) {
  Columns columns;
  auto find = [&](absl::string_view name, bool required,
                  int& where) -> absl::Status {
    for (size_t i = 0; i < header.size(); ++i) {
      if (header[i] != name) continue;
      if (where >= 0) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ":1: column '", name, "' appears twice"));
      }
      where = static_cast<int>(i);
    }
    if (required && where < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ":1: no column '", name,
          "'; the first row must name file,label,patient_id and optionally "
          "mask,site,view"));
    }
    return absl::OkStatus();
  };
  HILUM_RETURN_IF_ERROR(find("file", true, columns.file));
  HILUM_RETURN_IF_ERROR(find("label", true, columns.label));
  HILUM_RETURN_IF_ERROR(find("patient_id", true, columns.patient_id));
  HILUM_RETURN_IF_ERROR(find("mask", false, columns.mask));
  if (!options.site_column.empty()) {
    HILUM_RETURN_IF_ERROR(find(options.site_column, true, columns.site));
  }
  return columns;
}

std::string FolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// The reason this record cannot be a case, or empty.
std::string FillCase(const Record& record, const Columns& columns,
                     absl::Span<const std::string> classes, CaseRow& row) {
  row.patient_id = record[columns.patient_id];
  const std::string& label = record[columns.label];
  auto known = std::find(classes.begin(), classes.end(), label);
  row.label = static_cast<int>(known - classes.begin());
  if (row.file.empty()) return "no file";
  if (row.file.find('\0') != std::string::npos) return "file name has a NUL";
  if (known == classes.end()) {
    // Not the label: in a column out of place it may be a patient's name.
    return absl::StrCat("unknown label; the study's are ",
                        absl::StrJoin(classes, ", "));
  }
  if (row.patient_id.empty()) return "no patient_id";
  return "";
}

}  // namespace

absl::StatusOr<CaseManifest> ReadCaseManifest(
    const std::string& path, absl::Span<const std::string> classes,
    const ManifestOptions& options) {
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxManifestBytes));
  auto records = ParseCsv(text);
  if (!records.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", records.status().message()));
  }
  if (records->empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": empty manifest"));
  }
  const Record& header = records->front();
  HILUM_ASSIGN_OR_RETURN(Columns columns, FindColumns(header, path, options));
  CaseManifest manifest;
  const std::string folder = FolderOf(path);
  for (size_t i = 1; i < records->size(); ++i) {
    Record& record = (*records)[i];
    if (record.size() == 1 && record[0].empty()) continue;  // an empty line
    int number = static_cast<int>(i) + 1;
    if (record.size() != header.size()) {
      ++manifest.rows;
      manifest.rejected.push_back(
          {number, "",
           absl::StrCat(record.size(), " fields where the header has ",
                        header.size())});
      continue;
    }
    if (columns.site >= 0 && record[columns.site] != options.site) continue;
    ++manifest.rows;
    CaseRow row{.row = number, .file = record[columns.file]};
    std::string reason = FillCase(record, columns, classes, row);
    if (!reason.empty()) {
      manifest.rejected.push_back({number, row.file, std::move(reason)});
      continue;
    }
    row.path = ResolvePath(folder, row.file);
    if (columns.mask >= 0 && !record[columns.mask].empty()) {
      row.mask = ResolvePath(folder, record[columns.mask]);
    }
    manifest.cases.push_back(std::move(row));
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
