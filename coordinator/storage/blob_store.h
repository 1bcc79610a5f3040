// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STORAGE_BLOB_STORE_H_
#define HILUM_COORDINATOR_STORAGE_BLOB_STORE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Files in one folder, named by the SHA-256 (hex) of their bytes. An existing
// file is whole: it came by temporary file, fsync and rename. Thread-safe for
// different blobs; the same blob may be put twice.
class BlobStore {
 public:
  // Makes the folder and removes temporary files that a crash left.
  static absl::StatusOr<BlobStore> Open(std::string directory);

  // Returns the path of a blob, whether it exists or not. `sha256`: 32 raw
  // bytes.
  std::string Path(absl::string_view sha256) const;
  // Stores the bytes and returns their hash. RESOURCE_EXHAUSTED: disk full,
  // nothing kept.
  absl::StatusOr<std::string> Put(absl::string_view bytes) const;
  // Moves a file into the store. It must be on the same file system, synced,
  // and have this hash.
  absl::Status Adopt(const std::string& path, absl::string_view sha256) const;
  // Reads up to max_bytes from offset; empty at the end. NOT_FOUND: no such
  // blob. OUT_OF_RANGE: offset past its end.
  struct Chunk {
    std::string data;
    uint64_t total_size;
  };
  absl::StatusOr<Chunk> Read(absl::string_view sha256, uint64_t offset,
                             uint64_t max_bytes) const;
  // Removes the blob. Does nothing where there is none.
  void Remove(absl::string_view sha256) const;
  // Returns a path for a file to write and then adopt.
  std::string TemporaryPath(absl::string_view name) const;

 private:
  explicit BlobStore(std::string directory)
      : directory_(std::move(directory)) {}
  std::string directory_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STORAGE_BLOB_STORE_H_
