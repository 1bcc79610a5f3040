// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_FILES_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_FILES_H_

#include <string>
#include <vector>

#include "absl/types/span.h"

namespace hilum {

// Returns the paths that reading a case manifest needs: the manifest, the
// folders of its images and masks (links followed), and a case store's shards.
// Leaves out the root folder and every folder that contains one of `guarded`,
// however deep, and returns the single files there instead. Leaves out files
// that are guarded or below a guarded folder. For a manifest that cannot be
// read or parsed, returns the manifest alone; the caller that reads it reports
// the error.
std::vector<std::string> FilesOfManifest(const std::string& manifest,
                                         absl::Span<const std::string> guarded);

// Returns the folder that contains, or will contain, `file`.
std::string ParentFolder(const std::string& file);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_FILES_H_
