// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_FILES_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_FILES_H_

#include <string>
#include <vector>

#include "absl/types/span.h"

namespace hilum {

// What a process may have to read for a case manifest: the manifest, and the
// folders that the images and masks it names lie in, links followed; of a case
// store its shards. A folder that holds one of `guarded`, however deep, and the
// root folder are not among them: the named files themselves stand in their
// place. A file that is guarded, or lies below what is, is left out.
// A manifest that cannot be read or parsed gives itself alone; whoever reads
// it says what is wrong with it.
std::vector<std::string> FilesOfManifest(const std::string& manifest,
                                         absl::Span<const std::string> guarded);

// The folder that a file lies in, or is to be written to.
std::string ParentFolder(const std::string& file);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_MANIFEST_FILES_H_
