// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_list.h"

#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/written_path.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/trainer/data/manifest_files.h"
#include "site_agent/trainer/data/manifest_table.h"

namespace hilum {
namespace {

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool IsManifest(const std::string& path) {
  return absl::EndsWith(absl::AsciiStrToLower(path), ".csv");
}

std::string QuarantineOf(const std::string& store) {
  return absl::StrCat(store, "/quarantine.csv");
}

ListedCase CaseOf(const std::string& file, const std::string& path) {
  const std::optional<CaseEntry> entry = ParseCaseEntry(path);
  return {.id = entry.has_value() ? entry->case_id : file,
          .file = file,
          .row = {.file = file, .path = path}};
}

// Returns the reasons of a store's quarantine, by case.
absl::StatusOr<std::map<std::string, std::string>> HeldIn(
    const std::string& store) {
  std::map<std::string, std::string> held;
  const std::string path = QuarantineOf(store);
  if (!FileExists(path)) return held;
  HILUM_ASSIGN_OR_RETURN(const CsvTable table, ReadManifestTable(path));
  const int id = table.Find("id"), reason = table.Find("reason");
  if (id < 0 || reason < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ":1: no columns id and reason; run `hilum-ingest "
                     "folder` once more, which writes it anew"));
  }
  for (const CsvTable::Row& row : table.rows) {
    if (row.cells.size() != table.header.size()) continue;
    held[row.cells[static_cast<size_t>(id)]] = absl::StrCat(
        "quarantined in the store: ", row.cells[static_cast<size_t>(reason)]);
  }
  return held;
}

absl::Status AddStore(const std::string& store,
                      std::vector<ListedCase>& cases) {
  if (!FileExists(absl::StrCat(store, "/shards"))) {
    return absl::InvalidArgumentError(absl::StrCat(
        store,
        ": a folder that is no case store; give image files, a case "
        "manifest, or a store that `hilum-ingest folder` made"));
  }
  HILUM_ASSIGN_OR_RETURN(const CaseStoreReader reader,
                         CaseStoreReader::Open(store));
  HILUM_ASSIGN_OR_RETURN(const auto held, HeldIn(store));
  for (const std::string& id : reader.CaseIds()) {
    const std::string entry = absl::StrCat(store, "#", id);
    ListedCase one = CaseOf(entry, entry);
    if (reader.HasLungs(id)) one.row.mask = entry;
    if (auto found = held.find(id); found != held.end()) {
      one.held_reason = found->second;
    }
    cases.push_back(std::move(one));
  }
  return absl::OkStatus();
}

absl::Status AddEntry(const std::string& given, const CaseEntry& entry,
                      std::vector<ListedCase>& cases) {
  HILUM_ASSIGN_OR_RETURN(const CaseStoreReader reader,
                         CaseStoreReader::Open(entry.store));
  cases.push_back(CaseOf(given, given));
  if (reader.HasLungs(entry.case_id)) cases.back().row.mask = given;
  return absl::OkStatus();
}

absl::Status AddManifest(const std::string& path,
                         std::vector<ListedCase>& cases) {
  HILUM_ASSIGN_OR_RETURN(const CsvTable table, ReadManifestTable(path));
  const int file = table.Find("file"), mask = table.Find("mask");
  if (file < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":1: no column 'file', which names the images"));
  }
  if (table.rows.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": lists no case; write a row for each image"));
  }
  const std::string folder = ParentFolder(path);
  for (const CsvTable::Row& row : table.rows) {
    const bool whole = row.cells.size() == table.header.size();
    const auto cell = [&](int column) {
      return whole && column >= 0 ? row.cells[static_cast<size_t>(column)] : "";
    };
    const std::string name = cell(file);
    ListedCase one = CaseOf(name, ResolveWrittenPath(folder, name));
    one.row.row = row.number;
    if (!cell(mask).empty()) {
      one.row.mask = ResolveWrittenPath(folder, cell(mask));
    }
    if (!whole || name.empty()) {
      one = CaseOf(absl::StrCat("row ", row.number), "");
      one.bad_row = true;
      one.held_reason =
          whole ? "no file" : "not as many fields as the header has";
    }
    cases.push_back(std::move(one));
  }
  return absl::OkStatus();
}

absl::Status CheckDifferent(absl::Span<const ListedCase> cases) {
  std::map<std::string, const ListedCase*> seen;
  for (const ListedCase& one : cases) {
    auto [first, is_new] = seen.emplace(one.id, &one);
    if (is_new) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "case ", one.id, " is listed twice, as ", first->second->file, " and ",
        one.file, "; list each once"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ListedCase>> ListCases(
    absl::Span<const std::string> data) {
  std::vector<ListedCase> cases;
  for (const std::string& given : data) {
    const std::optional<CaseEntry> entry = ParseCaseEntry(given);
    if (IsManifest(given)) {
      HILUM_RETURN_IF_ERROR(AddManifest(given, cases));
    } else if (entry.has_value()) {
      HILUM_RETURN_IF_ERROR(AddEntry(given, *entry, cases));
    } else if (IsFolder(given)) {
      HILUM_RETURN_IF_ERROR(AddStore(given, cases));
    } else {
      cases.push_back(CaseOf(given, given));
    }
  }
  HILUM_RETURN_IF_ERROR(CheckDifferent(cases));
  return cases;
}

CaseManifest ManifestOf(absl::Span<const ListedCase> cases) {
  CaseManifest manifest;
  for (const ListedCase& one : cases) manifest.cases.push_back(one.row);
  manifest.rows = static_cast<int>(cases.size());
  return manifest;
}

std::vector<std::string> FilesOfData(absl::Span<const std::string> data) {
  std::vector<std::string> files;
  for (const std::string& given : data) {
    const std::optional<CaseEntry> entry = ParseCaseEntry(given);
    if (IsManifest(given)) {
      for (std::string& path : FilesOfManifest(given, {})) {
        files.push_back(std::move(path));
      }
    } else if (entry.has_value() || IsFolder(given)) {
      const std::string store = entry.has_value() ? entry->store : given;
      files.push_back(absl::StrCat(store, "/shards"));
      if (!entry.has_value()) files.push_back(QuarantineOf(store));
    } else {
      files.push_back(given);
    }
  }
  return files;
}

}  // namespace hilum
