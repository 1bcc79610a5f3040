// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_CONFINE_INGEST_H_
#define HILUM_SITE_AGENT_INGEST_CONFINE_INGEST_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/folder_walk.h"

namespace hilum {

// Confines the process (sandbox/confine.h). Called when the files to read have
// been listed and none has been read.
using ConfineToWalk = std::function<absl::Status(const FolderWalk&)>;

// The files that a process of hilum-ingest reads and writes.
struct IngestFiles {
  std::string store;     // made if missing
  std::string key_file;  // empty: in the store; made if missing
  std::vector<std::string> read;
  std::vector<std::string> write;  // besides the store; made if missing
};

// Confines this process to these files, until it ends: it decodes files from
// strangers. Makes the key of patients' pseudonyms if needed. Errors as
// Confine, MakeDirectories and Pseudonyms::FromKeyFile.
absl::Status ConfineIngest(IngestFiles files, SecureRng& rng);

// Returns the paths that a walk may read: its folder, and the targets of its
// links.
std::vector<std::string> PathsOf(const FolderWalk& walk);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_CONFINE_INGEST_H_
