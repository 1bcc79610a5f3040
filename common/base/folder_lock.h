// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_FOLDER_LOCK_H_
#define HILUM_COMMON_BASE_FOLDER_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace hilum {

// Lets one process at a time use a state folder. The lock (flock(2) on
// FOLDER/lock) is held while the object lives. The kernel releases it when the
// process ends, also after kill -9; child processes do not keep it. The file
// stays, and its existence means nothing.
class FolderLock {
 public:
  // `program`: the owner of the folder, for the message. FAILED_PRECONDITION:
  // another process holds the lock. Other errors: see ErrnoStatus.
  static absl::StatusOr<FolderLock> Take(const std::string& folder,
                                         absl::string_view program);

 private:
  explicit FolderLock(ScopedFd fd) : fd_(std::move(fd)) {}

  ScopedFd fd_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_FOLDER_LOCK_H_
