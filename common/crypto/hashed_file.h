// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_HASHED_FILE_H_
#define HILUM_COMMON_CRYPTO_HASHED_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {

struct WrittenFile {
  std::string sha256;  // 32 raw bytes
  uint64_t num_bytes = 0;
};

// A new file that is hashed while it is written, through "path.tmp.PID".
// Without Commit nothing stays. One object is one file: Create (Append | Place
// | AppendPlaced)* Commit. Errors name the path. Not thread-safe.
class HashedFile {
 public:
  explicit HashedFile(const std::string& path);
  ~HashedFile();
  HashedFile(const HashedFile&) = delete;
  HashedFile& operator=(const HashedFile&) = delete;

  absl::Status Create();

  // Writes the next bytes.
  absl::Status Append(absl::string_view bytes);

  // Writes bytes at a later offset, before their turn.
  absl::Status Place(uint64_t offset, absl::string_view bytes);
  // Appends the next `size` bytes, which Place has written: reads them for the
  // digest.
  absl::Status AppendPlaced(uint64_t size);

  uint64_t num_bytes() const { return num_bytes_; }  // appended

  // Renames the file into place. kSync: it is on disk when this returns. Bytes
  // that were placed and not appended are not in the digest.
  absl::StatusOr<WrittenFile> Commit(Durability durability);

 private:
  void StartWriteback();

  std::string path_;
  std::string temporary_;
  ScopedFd fd_;
  Sha256 digest_;
  uint64_t num_bytes_ = 0;
  uint64_t started_ = 0;  // bytes whose writing the kernel has begun
};

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_HASHED_FILE_H_
