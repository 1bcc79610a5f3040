// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/manifest_table.h"

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxManifestBytes = 256ull << 20;

}  // namespace

absl::StatusOr<CsvTable> ReadManifestTable(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxManifestBytes));
  auto table = ReadCsvTable(text);
  if (table.ok()) return table;
  return absl::Status(table.status().code(),
                      absl::StrCat(path, ": ", table.status().message()));
}

}  // namespace hilum
