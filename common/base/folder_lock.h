// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_FOLDER_LOCK_H_
#define HILUM_COMMON_BASE_FOLDER_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace hilum {

// One process at a time on a state folder. Held while the object lives, by
// flock(2) on FOLDER/lock: the kernel lets go when the process ends, kill -9
// included, and programs that the process starts do not keep it. The file
// stays; whether it is there means nothing.
class FolderLock {
 public:
  // `program`: whose folder it is, for the message. FAILED_PRECONDITION:
  // another process holds it. Otherwise as ErrnoStatus.
  static absl::StatusOr<FolderLock> Take(const std::string& folder,
                                         absl::string_view program);

 private:
  explicit FolderLock(ScopedFd fd) : fd_(std::move(fd)) {}

  ScopedFd fd_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_FOLDER_LOCK_H_
