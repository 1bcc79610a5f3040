// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_FOLDER_WALK_H_
#define HILUM_SITE_AGENT_INGEST_FOLDER_WALK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hilum {

// A file as it lay there, to tell whether it is still the same.
struct FileStamp {
  int64_t size = 0;
  int64_t modified = 0;  // nanoseconds since 1970
  bool operator==(const FileStamp&) const = default;
};

struct FoundFile {
  std::string path;  // absolute
  FileStamp stamp;
};

struct FoundProblem {
  std::string path;
  std::string reason;
};

struct FolderWalk {
  std::string folder;  // absolute, without links
  std::vector<FoundFile> files;
  std::vector<FoundProblem> problems;  // what could not be walked or opened
  std::vector<std::string> links;      // where those lead that were followed
};

// All regular files below `folder`, each folder's in the order of their names.
// Links are followed; a folder that is reached again, as by a loop of links, is
// a problem and not walked again, and so is one that is empty or may not be
// read, a link to nothing, and what is neither file nor folder. What lies in
// `skip` (absolute folders or files) is not there. Memory: the paths.
// NOT_FOUND, PERMISSION_DENIED: `folder` itself.
absl::StatusOr<FolderWalk> WalkFolder(const std::string& folder,
                                      const std::vector<std::string>& skip);

// NOT_FOUND, PERMISSION_DENIED.
absl::StatusOr<FileStamp> StampOf(const std::string& path);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_FOLDER_WALK_H_
