// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_FOLDER_WALK_H_
#define HILUM_SITE_AGENT_INGEST_FOLDER_WALK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hilum {

// A file's state, to tell whether it has changed.
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
  std::vector<FoundProblem> problems;  // not walked or not opened
  std::vector<std::string> links;  // targets of the links that were followed
};

// Finds all regular files below `folder`, in each folder in the order of their
// names. Follows links. Problems, which are not walked: a folder that is
// reached again, as by a loop of links; a folder that is empty or not readable;
// a link to nothing; an entry that is neither file nor folder. Ignores `skip`
// (absolute folders or files). Memory: the paths. NOT_FOUND, PERMISSION_DENIED:
// `folder` itself.
absl::StatusOr<FolderWalk> WalkFolder(const std::string& folder,
                                      const std::vector<std::string>& skip);

// Errors: NOT_FOUND, PERMISSION_DENIED.
absl::StatusOr<FileStamp> StampOf(const std::string& path);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_FOLDER_WALK_H_
