// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/manifest_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "common/base/csv.h"
#include "common/base/written_path.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/trainer/data/manifest_table.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

std::string Canonical(const std::string& path) {
  std::error_code error;
  const fs::path found = fs::weakly_canonical(path, error);
  return error ? path : found.string();
}

bool IsWithin(absl::string_view path, absl::string_view folder) {
  return path == folder ||
         (absl::ConsumePrefix(&path, folder) && absl::StartsWith(path, "/"));
}

// Collects paths that may be read; none leads to a guarded path.
class Readable {
 public:
  explicit Readable(absl::Span<const std::string> guarded) {
    for (const std::string& path : guarded) guarded_.push_back(Canonical(path));
  }

  void Add(const std::string& written) {
    const std::optional<CaseEntry> entry = ParseCaseEntry(written);
    const std::string path = entry.has_value()
                                 ? Canonical(entry->store + "/shards")
                                 : Canonical(written);
    if (!entry.has_value()) {
      const std::string folder = fs::path(path).parent_path().string();
      if (IsOpen(folder)) {
        paths_.insert(folder);
        return;
      }
    }
    const bool hidden = std::any_of(
        guarded_.begin(), guarded_.end(),
        [&](const std::string& secret) { return IsWithin(path, secret); });
    if (!hidden) paths_.insert(path);
  }

  std::vector<std::string> paths() const {
    return {paths_.begin(), paths_.end()};
  }

 private:
  bool IsOpen(const std::string& folder) {
    const auto known = open_.find(folder);
    if (known != open_.end()) return known->second;
    const bool holds_or_is_secret = std::any_of(
        guarded_.begin(), guarded_.end(), [&](const std::string& secret) {
          return IsWithin(secret, folder) || IsWithin(folder, secret);
        });
    return open_[folder] = folder != "/" && !holds_or_is_secret;
  }

  std::vector<std::string> guarded_;
  std::map<std::string, bool> open_;
  std::set<std::string> paths_;
};

}  // namespace

std::vector<std::string> FilesOfManifest(
    const std::string& manifest, absl::Span<const std::string> guarded) {
  const absl::StatusOr<CsvTable> table = ReadManifestTable(manifest);
  if (!table.ok()) return {manifest};
  const std::string folder = ParentFolder(manifest);
  Readable readable(guarded);
  for (const char* name : {"file", "mask"}) {
    const int column = table->Find(name);
    if (column < 0) continue;
    for (const CsvTable::Row& row : table->rows) {
      if (row.cells.size() != table->header.size()) continue;
      const std::string& cell = row.cells[static_cast<size_t>(column)];
      if (!cell.empty()) readable.Add(ResolveWrittenPath(folder, cell));
    }
  }
  std::vector<std::string> paths = readable.paths();
  paths.push_back(manifest);
  return paths;
}

std::string ParentFolder(const std::string& file) {
  const std::string folder = fs::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace hilum
