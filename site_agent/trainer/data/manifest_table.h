// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_TABLE_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_TABLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/base/csv.h"

namespace hilum {

// Reads a case manifest's cells without interpreting them. Errors as
// ReadCsvTable and ReadFile; messages begin with the path.
absl::StatusOr<CsvTable> ReadManifestTable(const std::string& path);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_TABLE_H_
