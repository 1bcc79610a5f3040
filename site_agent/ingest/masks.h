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
  bool replace = false;   // masks that cases have already
  bool terminal = false;  // `progress` is one
  ConfineToWalk confine;  // may be empty
};

// Gives lung masks to cases that are in a store: FOLDER/CASE.EXTENSION, as
// `hilum-trainer segment run` writes them for a store's manifest, or
// FOLDER/SOPINSTANCEUID.EXTENSION; a picture or a DICOM segmentation, told by
// its bytes, in the proportions of the image as it is displayed. The lungs are
// then cut from the image as the store keeps it. Other files do not count, but
// how many there are is said. The same mask again changes nothing; run again
// after a kill it goes on. A line for each that is of no case or cannot be
// used, and a summary, go to `out`; how far it is to `progress`.
// NOT_FOUND: no folder, no store, or no mask in the folder. Else as Intake's.
absl::Status IngestMasks(const MaskOptions& options, std::ostream& out,
                         std::ostream& progress, Clock& clock, SecureRng& rng);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_MASKS_H_
