// SPDX-License-Identifier: Apache-2.0
// The cases that a user names on the command line, to be looked at by a
// trained model. They need no label and no patient.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_CASE_LIST_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_CASE_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {

struct ListedCase {
  std::string id;    // the id in a case store; else the same as `file`
  std::string file;  // as in the manifest or on the command line
  // Path and mask (empty: the case has none); label and patient are not set.
  CaseRow row;
  // Why the case cannot be looked at, such as a quarantine of its store; empty:
  // it can.
  std::string held_reason;
  bool bad_row = false;  // held_reason is a fault of the manifest
};

// Lists the cases of each element of `data`:
//   NAME.csv    a case manifest; needs only the column `file`, and uses `mask`
//   STORE       all cases of a case store with their own masks; those in its
//               quarantine.csv are held
//   STORE#CASE  one case of a store
//   any other   an image file
// INVALID_ARGUMENT: a folder that is no case store, a manifest without cases or
// without the column, a case that is listed twice. Other errors as
// ReadManifestTable and CaseStoreReader::Open.
absl::StatusOr<std::vector<ListedCase>> ListCases(
    absl::Span<const std::string> data);

// Returns a manifest with the rows of the cases, for a CaseLoader.
CaseManifest ManifestOf(absl::Span<const ListedCase> cases);

// Returns the files and folders that listing and reading the cases opens.
std::vector<std::string> FilesOfData(absl::Span<const std::string> data);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_CASE_LIST_H_
