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

// Called when what is to be read has been listed and before any of it is; a
// command's process is confined here (sandbox/confine.h).
using ConfineToWalk = std::function<absl::Status(const FolderWalk&)>;

// What a process of hilum-ingest reads, and keeps.
struct IngestFiles {
  std::string store;     // made where it is not there
  std::string key_file;  // empty: in the store; made where it has to be
  std::vector<std::string> read;
  std::vector<std::string> write;  // besides the store; made likewise
};

// Confines this process to these files, for good: it decodes what strangers
// made. The key of patients' pseudonyms is one of them. Errors as Confine's,
// MakeDirectories' and Pseudonyms::FromKeyFile's.
absl::Status ConfineIngest(IngestFiles files, SecureRng& rng);

// What a walk may read: its folder, and where links in it lead.
std::vector<std::string> PathsOf(const FolderWalk& walk);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_CONFINE_INGEST_H_
