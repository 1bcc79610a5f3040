// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/folder_walk.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr int kMaxDepth = 256;

using FolderId = std::pair<dev_t, ino_t>;

FileStamp StampFrom(const struct stat& info) {
  return {static_cast<int64_t>(info.st_size),
          int64_t{info.st_mtim.tv_sec} * 1000000000 + info.st_mtim.tv_nsec};
}

// Lists names in order; returns errno if the folder cannot be read.
int ListFolder(const std::string& path, std::vector<std::string>& names) {
  std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
  if (folder == nullptr) return errno;
  errno = 0;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return errno;
}

class Walker {
 public:
  Walker(const std::vector<std::string>& skip, FolderWalk& walk)
      : skip_(skip.begin(), skip.end()), walk_(walk) {}

  void Folder(const std::string& path, const struct stat& info, int depth) {
    if (!seen_.insert({info.st_dev, info.st_ino}).second) {
      Problem(path, "a link to a folder that is read already (a loop?)");
      return;
    }
    if (depth > kMaxDepth) {
      Problem(path, absl::StrCat("over ", kMaxDepth, " folders deep"));
      return;
    }
    std::vector<std::string> names;
    const int error = ListFolder(path, names);
    if (error != 0) {
      Problem(path, absl::StrCat("cannot be read: ", std::strerror(error)));
    } else if (names.empty()) {
      Problem(path, "an empty folder");
    }
    for (const std::string& name : names) {
      Entry(absl::StrCat(path, "/", name), depth);
    }
  }

 private:
  void Problem(const std::string& path, std::string reason) {
    walk_.problems.push_back({path, std::move(reason)});
  }

  void Entry(const std::string& path, int depth) {
    if (skip_.count(path) != 0) return;
    struct stat info;
    int failed = lstat(path.c_str(), &info);
    if (failed == 0 && S_ISLNK(info.st_mode)) {
      failed = stat(path.c_str(), &info);
      char real[PATH_MAX];
      if (failed == 0 && realpath(path.c_str(), real) != nullptr) {
        walk_.links.push_back(real);
      }
    }
    if (failed != 0) {
      Problem(path, absl::StrCat("cannot be read: ", std::strerror(errno)));
    } else if (S_ISDIR(info.st_mode)) {
      Folder(path, info, depth + 1);
    } else if (S_ISREG(info.st_mode)) {
      walk_.files.push_back({path, StampFrom(info)});
    } else {
      Problem(path, "not a regular file");
    }
  }

  std::set<std::string> skip_;
  std::set<FolderId> seen_;
  FolderWalk& walk_;
};

}  // namespace

absl::StatusOr<FolderWalk> WalkFolder(const std::string& folder,
                                      const std::vector<std::string>& skip) {
  char real[PATH_MAX];
  struct stat info;
  if (realpath(folder.c_str(), real) == nullptr || stat(real, &info) != 0) {
    return ErrnoStatus(errno, "cannot read the folder", folder);
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::NotFoundError(
        absl::StrCat(folder,
                     ": not a folder; `hilum-ingest folder` takes the one that "
                     "holds the images"));
  }
  FolderWalk walk{.folder = real};
  Walker(skip, walk).Folder(walk.folder, info, 0);
  return walk;
}

absl::StatusOr<FileStamp> StampOf(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "cannot stat", path);
  }
  return StampFrom(info);
}

}  // namespace hilum
