// SPDX-License-Identifier: Apache-2.0
#include "common/base/private_file.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {

void MakeFilesPrivate() { umask(077); }

absl::Status MakePrivateFolder(const std::string& path) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(path));
  if (chmod(path.c_str(), 0700) != 0) {
    return ErrnoStatus(errno, "cannot close the folder to others", path);
  }
  return absl::OkStatus();
}

absl::Status CheckPrivateFile(const std::string& path, absl::string_view what) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return ErrnoStatus(errno, absl::StrFormat("cannot read %s", what), path);
  }
  if ((info.st_mode & 077) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrFormat("%s: %s is open to others (mode %04o); run: chmod 600 %s",
                      path, what, info.st_mode & 07777, path));
}

}  // namespace hilum
