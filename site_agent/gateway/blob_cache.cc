// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/blob_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

absl::Status WriteAt(int fd, absl::string_view data, uint64_t offset,
                     const std::string& path) {
  while (!data.empty()) {
    ssize_t wrote =
        pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return ErrnoStatus(errno, "cannot write", path);
    data.remove_prefix(static_cast<size_t>(wrote));
    offset += static_cast<uint64_t>(wrote);
  }
  return absl::OkStatus();
}

// Hashes what the file holds; its length.
absl::StatusOr<uint64_t> HashFile(int fd, const std::string& path,
                                  Sha256& sha) {
  std::string block(1 << 20, '\0');
  uint64_t size = 0;
  for (;;) {
    ssize_t got =
        pread(fd, block.data(), block.size(), static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read", path);
    if (got == 0) return size;
    sha.Update(absl::string_view(block.data(), static_cast<size_t>(got)));
    size += static_cast<uint64_t>(got);
  }
}

}  // namespace

absl::StatusOr<BlobCache> BlobCache::Open(std::string directory) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(directory));
  return BlobCache(std::move(directory));
}

absl::Status BlobCache::Download(const v1::BlobRef& blob,
                                 const FetchChunk& fetch,
                                 const std::string& part) const {
  ScopedFd fd(open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", part);
  Sha256 sha;
  HILUM_ASSIGN_OR_RETURN(uint64_t have, HashFile(fd.get(), part, sha));
  while (have < blob.size()) {
    HILUM_ASSIGN_OR_RETURN(v1::FetchBlobResponse chunk, fetch(blob, have));
    if (chunk.data().empty() || chunk.data().size() > blob.size() - have ||
        chunk.total_size() != blob.size()) {
      return absl::DataLossError(
          absl::StrCat("blob ", ToHex(blob.sha256()),
                       ": the coordinator has it in another length"));
    }
    HILUM_RETURN_IF_ERROR(WriteAt(fd.get(), chunk.data(), have, part));
    sha.Update(chunk.data());
    have += chunk.data().size();
  }
  if (have == blob.size() && sha.Finish() == blob.sha256()) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat("blob ", ToHex(blob.sha256()),
                                          ": the bytes fetched are others"));
}

bool BlobCache::IsWhole(const v1::BlobRef& blob,
                        const std::string& path) const {
  if (!FileExists(path)) return false;
  if (verified_.contains(blob.sha256())) return true;
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Sha256 sha;
  if (fd.get() < 0 || !HashFile(fd.get(), path, sha).ok() ||
      sha.Finish() != blob.sha256()) {
    unlink(path.c_str());
    return false;
  }
  verified_.insert(blob.sha256());
  return true;
}

absl::StatusOr<std::string> BlobCache::Get(const v1::BlobRef& blob,
                                           const FetchChunk& fetch) const {
  std::string path = absl::StrCat(directory_, "/", ToHex(blob.sha256()));
  if (IsWhole(blob, path)) return path;
  std::string part = absl::StrCat(path, ".part");
  absl::Status status = Download(blob, fetch, part);
  if (absl::IsDataLoss(status)) unlink(part.c_str());
  HILUM_RETURN_IF_ERROR(status);
  if (rename(part.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename", part);
  }
  verified_.insert(blob.sha256());
  return path;
}

void BlobCache::KeepOnly(const std::vector<v1::BlobRef>& blobs) const {
  std::set<std::string> keep;
  for (const v1::BlobRef& blob : blobs) keep.insert(ToHex(blob.sha256()));
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_, error)) {
    if (!keep.contains(entry.path().filename().string())) {
      std::filesystem::remove(entry.path(), error);
    }
  }
}

}  // namespace hilum
