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
  std::string words;      // IntakeOptions's
  int threads = 0;        // 0: one a processor
  bool terminal = false;  // `progress` is one
  ConfineToWalk confine;  // may be empty
};

// Takes every image below a folder into a store that needs it still, then
// exports the store. The result does not depend on `threads`, nor on how often
// and where an earlier run was killed.
// A mask is MASKS/PATH.png, where the image is FOLDER/PATH.EXTENSION, or
// MASKS/SOPINSTANCEUID.png; either as .dcm where there is no .png.
// A summary goes to `out`, and there a line for each row of the labels that
// counts for nothing; how far it is goes to `progress`. Neither names files.
// NOT_FOUND: no folder, or no file in it. Else as Intake's.
absl::Status IngestFolder(const FolderOptions& options, std::ostream& out,
                          std::ostream& progress, Clock& clock, SecureRng& rng);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_FOLDER_H_
