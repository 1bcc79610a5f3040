// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_AGGREGATION_BLOB_FILE_H_
#define HILUM_COMMON_AGGREGATION_BLOB_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/file.h"

namespace hilum {

// A file with a known number of 32-bit elements, little-endian, read in pieces.
// Errors name the path. Several threads may call Read.
class BlobFile {
 public:
  // INVALID_ARGUMENT: the file has another length. NOT_FOUND and others:
  // opening the file failed.
  static absl::StatusOr<BlobFile> Open(const std::string& path,
                                       int64_t elements);

  // Reads values.size() elements from `element` on; Value is float or uint32_t.
  template <typename Value>
  absl::Status Read(int64_t element, absl::Span<Value> values) const {
    static_assert(sizeof(Value) == 4);
    return ReadAt(fd_.get(), static_cast<uint64_t>(element) * sizeof(Value),
                  reinterpret_cast<char*>(values.data()),
                  values.size() * sizeof(Value), path_);
  }

 private:
  BlobFile(const std::string& path, ScopedFd fd)
      : path_(path), fd_(std::move(fd)) {}

  std::string path_;
  ScopedFd fd_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_BLOB_FILE_H_
