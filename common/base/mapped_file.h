// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_MAPPED_FILE_H_
#define HILUM_COMMON_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// A file's bytes, mapped read-only while the object lives. Only for files that
// nobody writes to meanwhile: if the file became shorter, the process would
// end.
class MappedFile {
 public:
  // Errors: see ErrnoStatus. INVALID_ARGUMENT: a folder, a pipe, a device.
  static absl::StatusOr<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();

  absl::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(absl::string_view bytes) : bytes_(bytes) {}

  absl::string_view bytes_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_MAPPED_FILE_H_
