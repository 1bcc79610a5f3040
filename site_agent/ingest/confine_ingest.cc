// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/confine_ingest.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/ingest/pseudonyms.h"
#include "site_agent/sandbox/confine.h"

namespace hilum {

absl::Status ConfineIngest(IngestFiles files, SecureRng& rng) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(files.store));
  for (const std::string& folder : files.write) {
    HILUM_RETURN_IF_ERROR(MakeDirectories(folder));
  }
  if (!files.key_file.empty()) {
    // A key outside the store must be made before confining. A store that
    // exists but has lost its key gets no other one.
    if (!FileExists(files.key_file) &&
        !FileExists(absl::StrCat(files.store, "/store.db"))) {
      HILUM_RETURN_IF_ERROR(
          Pseudonyms::FromKeyFile(files.key_file, rng).status());
    }
    files.read.push_back(files.key_file);
  }
  files.write.push_back(files.store);
  return Confine(
      {.read = std::move(files.read), .write = std::move(files.write)});
}

std::vector<std::string> PathsOf(const FolderWalk& walk) {
  std::vector<std::string> paths = walk.links;
  paths.push_back(walk.folder);
  return paths;
}

}  // namespace hilum
