// SPDX-License-Identifier: Apache-2.0
// Deals a manifest's cases out to the simulated sites.
#ifndef HILUM_SIM_PARTITION_H_
#define HILUM_SIM_PARTITION_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/case_table.h"

namespace hilum {

struct Partition {
  enum class Kind {
    kBySite,     // the manifest's `site` column
    kIid,        // patients of each label dealt out evenly
    kDirichlet,  // patients of each label in proportions drawn from
                 // Dirichlet(concentration): the smaller, the more uneven
  };
  Kind kind = Kind::kBySite;
  double concentration = 0;
};

// Parses "by_site", "iid" or "dirichlet:A" with 0 < A <= 1000.
// INVALID_ARGUMENT.
absl::StatusOr<Partition> ParsePartition(absl::string_view text);

struct PartitionOptions {
  Partition partition;
  int sites = 0;  // 0: as many as the manifest names (by_site only)
  uint64_t seed = 0;
};

// Returns each site's rows by its name, ascending. Keeps a patient's rows
// together, unless kBySite's column splits them. kIid and kDirichlet call the
// sites site-1 .. site-N. A row without patient_id counts as a patient of its
// own. INVALID_ARGUMENT: no `site` column, a row without site or with an
// invalid name, another number of sites than asked for; a site without a case.
absl::StatusOr<std::map<std::string, std::vector<int>>> DealCases(
    const CaseTable& table, const PartitionOptions& options);

// Writes DIRECTORY/SITE/manifest.csv for each site of the deal.
absl::Status WriteSiteManifests(
    const CaseTable& table, const std::map<std::string, std::vector<int>>& deal,
    const std::string& directory);

}  // namespace hilum

#endif  // HILUM_SIM_PARTITION_H_
