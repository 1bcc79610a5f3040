// SPDX-License-Identifier: Apache-2.0
#include "common/base/folder_lock.h"

#include <fcntl.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& folder,
                                            absl::string_view program) {
  std::string path = absl::StrCat(folder, "/lock");
  ScopedFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  HILUM_ASSIGN_OR_RETURN(const bool held, TryLock(fd.get(), path));
  if (!held) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, ": another ", program,
                     " serves this folder; stop it first (`fuser ", path,
                     "` shows it), or give this one another state_dir"));
  }
  return FolderLock(std::move(fd));
}

}  // namespace hilum
