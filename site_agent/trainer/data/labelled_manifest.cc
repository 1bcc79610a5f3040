// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/labelled_manifest.h"

#include <set>

#include "common/base/status_macros.h"
#include "site_agent/trainer/data/manifest_table.h"

namespace hilum {

absl::StatusOr<LabelledManifest> ReadAnyManifest(
    const std::string& path, const ManifestOptions& options) {
  HILUM_ASSIGN_OR_RETURN(const CsvTable table, ReadManifestTable(path));
  const int label = table.Find("label");
  const int site = options.site_column.empty()
                       ? -1
                       : table.Find(ColumnName(options.site_column));
  std::set<std::string> labels;
  for (const CsvTable::Row& row : table.rows) {
    if (label < 0 || row.cells.size() != table.header.size()) continue;
    if (site >= 0 && row.cells[static_cast<size_t>(site)] != options.site) {
      continue;
    }
    labels.insert(row.cells[static_cast<size_t>(label)]);
  }
  LabelledManifest out{{labels.begin(), labels.end()}, {}};
  // Reports the manifest's errors, if any.
  HILUM_ASSIGN_OR_RETURN(out.manifest,
                         ReadCaseManifest(path, out.labels, options));
  return out;
}

}  // namespace hilum
