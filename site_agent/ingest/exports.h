// SPDX-License-Identifier: Apache-2.0
// Files for other programs, written anew from a store's database.
#ifndef HILUM_SITE_AGENT_INGEST_EXPORTS_H_
#define HILUM_SITE_AGENT_INGEST_EXPORTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "site_agent/ingest/case_database.h"

namespace hilum {

struct StoreCounts {
  int ready = 0;
  int unlabelled = 0;
  int quarantined = 0;  // cases
  int refused = 0;      // files that are no case
};

absl::StatusOr<StoreCounts> CountStore(CaseDatabase& database);

// Returns "id,what,reason,file": cases in quarantine, then refused files. A
// case's file is its first source.
absl::StatusOr<std::string> QuarantineCsv(CaseDatabase& database);

// Writes cases.csv (the manifest `file,label,patient_id,mask,view` of the cases
// that are ready; `file` and `mask` are ".#CASE", see case_store_reader.h),
// quarantine.csv, and fingerprint.json: sums over the cases that are not in
// quarantine and quantiles of them, with nothing about a single case. Replaces
// each file whole; 0600.
absl::Status ExportStore(CaseDatabase& database, const std::string& store);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_EXPORTS_H_
