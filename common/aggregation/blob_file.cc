// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/blob_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace hilum {

absl::StatusOr<BlobFile> BlobFile::Open(const std::string& path,
                                        int64_t elements) {
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot stat", path);
  }
  if (!S_ISREG(info.st_mode) || info.st_size != elements * 4) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", info.st_size, " bytes, expected ", elements * 4));
  }
  return BlobFile(path, std::move(fd));
}

}  // namespace hilum
