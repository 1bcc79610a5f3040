// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_FOLDER_H_
#define HILUM_SITE_AGENT_INGEST_FOLDER_H_

#include <iosfwd>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/confine_ingest.h"

namespace hilum {

struct FolderOptions {
  std::string folder;
  std::string store;
  std::string labels;     // a CSV file; empty: those of earlier runs
  std::string masks;      // a folder; empty: none
  std::string key_file;   // empty: STORE/patient.key
  std::string words;      // see IntakeOptions
  int threads = 0;        // 0: one for each processor
  bool terminal = false;  // `progress` is a terminal
  ConfineToWalk confine;  // may be empty
};

// Takes every image below a folder into a store, unless the store has it, then
// exports the store. The result does not depend on `threads`, nor on how often
// and where an earlier run was killed. The mask of FOLDER/PATH.EXTENSION is
// MASKS/PATH.png or MASKS/SOPINSTANCEUID.png, or the same name with .dcm if
// there is no .png. Prints a summary to `out`, with a line for each row of the
// labels that is not used, and the progress to `progress`. Neither names files.
// NOT_FOUND: no folder, or no file in it. Otherwise errors as Intake.
absl::Status IngestFolder(const FolderOptions& options, std::ostream& out,
                          std::ostream& progress, Clock& clock, SecureRng& rng);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_FOLDER_H_
