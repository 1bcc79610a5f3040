// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_MASKS_H_
#define HILUM_SITE_AGENT_INGEST_MASKS_H_

#include <iosfwd>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/confine_ingest.h"

namespace hilum {

struct MaskOptions {
  std::string folder;
  std::string store;
  std::string key_file;   // empty: STORE/patient.key
  bool replace = false;   // replaces masks that cases have
  bool terminal = false;  // `progress` is a terminal
  ConfineToWalk confine;  // may be empty
};

// Gives lung masks to cases in a store: FOLDER/CASE.EXTENSION, as
// `hilum-trainer segment run` writes them for a store's manifest, or
// FOLDER/SOPINSTANCEUID.EXTENSION. A mask is a picture or a DICOM segmentation,
// told by its bytes, in the proportions of the displayed image. Cuts the lungs
// from the stored image. Ignores other files and prints their number. The same
// mask again changes nothing; a run after a kill continues. Prints a line for
// each mask that has no case or cannot be used, and a summary, to `out`; the
// progress to `progress`. NOT_FOUND: no folder, no store, or no mask in the
// folder. Otherwise errors as Intake.
absl::Status IngestMasks(const MaskOptions& options, std::ostream& out,
                         std::ostream& progress, Clock& clock, SecureRng& rng);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_MASKS_H_
