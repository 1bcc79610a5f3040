// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/hashed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr uint64_t kWritebackBytes = 8 << 20;
constexpr uint64_t kReadBytes = 1 << 18;

}  // namespace

HashedFile::HashedFile(const std::string& path)
    : path_(path), temporary_(absl::StrCat(path, ".tmp.", getpid())) {}

HashedFile::~HashedFile() {
  if (fd_.get() >= 0) unlink(temporary_.c_str());
}

absl::Status HashedFile::Create() {
  fd_ = ScopedFd(
      open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd_.get() < 0) return ErrnoStatus(errno, "cannot create", temporary_);
  return absl::OkStatus();
}

absl::Status HashedFile::Append(absl::string_view bytes) {
  digest_.Update(bytes);
  HILUM_RETURN_IF_ERROR(WriteAt(fd_.get(), num_bytes_, bytes, path_));
  num_bytes_ += bytes.size();
  StartWriteback();
  return absl::OkStatus();
}

absl::Status HashedFile::Place(uint64_t offset, absl::string_view bytes) {
  return WriteAt(fd_.get(), offset, bytes, path_);
}

absl::Status HashedFile::AppendPlaced(uint64_t size) {
  std::vector<char> room(static_cast<size_t>(std::min(size, kReadBytes)));
  while (size > 0) {
    const auto piece =
        static_cast<size_t>(std::min<uint64_t>(size, kReadBytes));
    HILUM_RETURN_IF_ERROR(
        ReadAt(fd_.get(), num_bytes_, room.data(), piece, path_));
    digest_.Update(absl::string_view(room.data(), piece));
    num_bytes_ += piece;
    size -= piece;
  }
  return absl::OkStatus();
}

absl::StatusOr<WrittenFile> HashedFile::Commit(Durability durability) {
  const bool sync = durability == Durability::kSync;
  if (sync && fsync(fd_.get()) != 0) {
    return ErrnoStatus(errno, "cannot sync", path_);
  }
  if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename into place", path_);
  }
  fd_.Close();
  if (sync) {
    HILUM_RETURN_IF_ERROR(
        SyncDirectory(std::filesystem::path(path_).parent_path().string()));
  }
  return WrittenFile{.sha256 = digest_.Finish(), .num_bytes = num_bytes_};
}

// The disk writes meanwhile, so that the sync at the end is short.
void HashedFile::StartWriteback() {
  if (num_bytes_ - started_ < kWritebackBytes) return;
  sync_file_range(fd_.get(), static_cast<off_t>(started_),
                  static_cast<off_t>(num_bytes_ - started_),
                  SYNC_FILE_RANGE_WRITE);
  started_ = num_bytes_;
}

}  // namespace hilum
