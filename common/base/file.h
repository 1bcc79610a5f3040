// SPDX-License-Identifier: Apache-2.0
// Files, with errors that name the path and the reason.
#ifndef HILUM_COMMON_BASE_FILE_H_
#define HILUM_COMMON_BASE_FILE_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// Returns NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED (disk full, quota)
// or INTERNAL, from errno: "PATH: WHAT: reason".
absl::Status ErrnoStatus(int error, absl::string_view what,
                         absl::string_view path);

// RESOURCE_EXHAUSTED: the file has more than max_bytes.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     uint64_t max_bytes = 1ull << 32);

enum class Durability { kNone, kSync };

// Writes a temporary file beside `path` and renames it, so that readers see the
// old content or the new. kSync: the content is on disk when this returns. A
// failure leaves the old content and no temporary file.
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view content,
                                 Durability durability = Durability::kSync,
                                 uint32_t mode = 0644);
// Writes several pieces, one behind the other, in the same way.
absl::Status WritePiecesAtomically(const std::string& path,
                                   absl::Span<const absl::string_view> pieces,
                                   Durability durability = Durability::kSync,
                                   uint32_t mode = 0644);

// Reads exactly `size` bytes from `offset` on. DATA_LOSS: the file ends before.
// `path` is for errors, here and below.
absl::Status ReadAt(int fd, uint64_t offset, char* to, size_t size,
                    absl::string_view path);
absl::Status WriteAt(int fd, uint64_t offset, absl::string_view data,
                     absl::string_view path);

// Tries flock(2), exclusive, without waiting; returns whether the lock is held
// now. The kernel releases it when the descriptor is closed, also after kill
// -9.
absl::StatusOr<bool> TryLock(int fd, absl::string_view path);

// Passes the file's bytes, from the first on, to `take` in blocks of one MiB,
// the last of which may be shorter; returns the number of bytes.
absl::StatusOr<uint64_t> ReadBlocks(
    int fd, absl::string_view path,
    absl::FunctionRef<void(absl::string_view)> take);

// Makes the folder and its parents (mkdir -p).
absl::Status MakeDirectories(const std::string& path);

// Syncs the directory itself (fsync), after a rename into it.
absl::Status SyncDirectory(const std::string& path);

bool FileExists(const std::string& path);

// Returns `path` if it is absolute, else `path` below `base`.
std::string ResolvePath(absl::string_view base, absl::string_view path);

// A file descriptor closed at the end of its scope. Not copied.
class ScopedFd {
 public:
  explicit ScopedFd(int fd = -1) : fd_(fd) {}
  ScopedFd(ScopedFd&& other) noexcept : fd_(other.Release()) {}
  ScopedFd& operator=(ScopedFd&& other) noexcept;
  ~ScopedFd() { Close(); }

  int get() const { return fd_; }
  int Release();
  void Close();

 private:
  int fd_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_FILE_H_
