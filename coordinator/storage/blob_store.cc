// SPDX-License-Identifier: Apache-2.0
#include "coordinator/storage/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr absl::string_view kTemporary = ".part";

}  // namespace

absl::StatusOr<BlobStore> BlobStore::Open(std::string directory) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(directory));
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    if (absl::EndsWith(entry.path().string(), kTemporary)) {
      std::filesystem::remove(entry.path(), error);
    }
  }
  return BlobStore(std::move(directory));
}

std::string BlobStore::Path(absl::string_view sha256) const {
  return absl::StrCat(directory_, "/", ToHex(sha256));
}

std::string BlobStore::TemporaryPath(absl::string_view name) const {
  return absl::StrCat(directory_, "/", name, kTemporary);
}

absl::StatusOr<std::string> BlobStore::Put(absl::string_view bytes) const {
  std::string sha256 = Sha256Of(bytes);
  std::string path = Path(sha256);
  if (!FileExists(path)) {
    HILUM_RETURN_IF_ERROR(WriteFileAtomically(path, bytes));
  }
  return sha256;
}

absl::Status BlobStore::Adopt(const std::string& path,
                              absl::string_view sha256) const {
  std::string target = Path(sha256);
  if (rename(path.c_str(), target.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename", path);
  }
  return SyncDirectory(directory_);
}

absl::StatusOr<BlobStore::Chunk> BlobStore::Read(absl::string_view sha256,
                                                 uint64_t offset,
                                                 uint64_t max_bytes) const {
  std::string path = Path(sha256);
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (fd.get() < 0 || fstat(fd.get(), &info) != 0) {
    return ErrnoStatus(errno, "no such blob", ToHex(sha256));
  }
  uint64_t total = static_cast<uint64_t>(info.st_size);
  if (offset > total) {
    return absl::OutOfRangeError(absl::StrCat("blob ", ToHex(sha256), " has ",
                                              total, " bytes, not ", offset));
  }
  Chunk chunk{.data = std::string(std::min(max_bytes, total - offset), '\0'),
              .total_size = total};
  HILUM_RETURN_IF_ERROR(
      ReadAt(fd.get(), offset, chunk.data.data(), chunk.data.size(), path));
  return chunk;
}

void BlobStore::Remove(absl::string_view sha256) const {
  unlink(Path(sha256).c_str());
}

}  // namespace hilum
