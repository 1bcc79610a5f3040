// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_LABELLED_MANIFEST_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_LABELLED_MANIFEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {

struct LabelledManifest {
  std::vector<std::string> labels;  // those that occur, sorted
  CaseManifest manifest;            // CaseRow::label: index into them
};

// Reads as ReadCaseManifest does, but accepts every label, also none.
absl::StatusOr<LabelledManifest> ReadAnyManifest(
    const std::string& path, const ManifestOptions& options = {});

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_LABELLED_MANIFEST_H_
