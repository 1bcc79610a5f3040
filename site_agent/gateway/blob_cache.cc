// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/blob_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/ordered_pipeline.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;
constexpr int kInFlight = 3;
constexpr char kPart[] = ".part";
constexpr char kList[] = "fetched";
constexpr size_t kNameSize = 64;  // SHA-256 in hexadecimal

// Removes the folder's unfinished blobs, except the one in the file `keep`.
void RemoveParts(const std::string& directory, const std::string& keep) {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    const std::string path = entry.path().string();
    if (absl::EndsWith(path, kPart) && path != keep) unlink(path.c_str());
  }
}

}  // namespace

absl::StatusOr<BlobCache> BlobCache::Open(std::string directory) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(directory));
  BlobCache cache(std::move(directory));
  const absl::StatusOr<std::string> list = ReadFile(cache.ListPath(), 1 << 20);
  if (list.ok()) {
    for (absl::string_view name : absl::StrSplit(*list, '\n')) {
      if (name.size() != kNameSize || absl::StrContains(name, '/')) continue;
      cache.fetched_.emplace_back(name);
    }
  }
  return cache;
}

std::string BlobCache::ListPath() const {
  return absl::StrCat(directory_, "/", kList);
}

absl::Status BlobCache::StoreList() const {
  return WriteFileAtomically(ListPath(), absl::StrJoin(fetched_, "\n"),
                             Durability::kNone, 0600);
}

absl::Status BlobCache::MakeRoomFor(const v1::BlobRef& blob) const {
  const std::string name = ToHex(blob.sha256());
  RemoveParts(directory_, PathOf(blob) + kPart);
  if (!fetched_.empty() && fetched_.back() == name) return absl::OkStatus();
  std::erase(fetched_, name);
  fetched_.push_back(name);
  while (fetched_.size() > kMostFetched) {
    unlink(absl::StrCat(directory_, "/", fetched_.front()).c_str());
    fetched_.pop_front();
  }
  return StoreList();
}

absl::Status BlobCache::Download(const v1::BlobRef& blob,
                                 const FetchChunk& fetch,
                                 const std::string& part) const {
  ScopedFd fd(open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", part);
  Sha256 sha;
  HILUM_ASSIGN_OR_RETURN(
      uint64_t start,
      ReadBlocks(fd.get(), part, [&](absl::string_view b) { sha.Update(b); }));
  const uint64_t left = blob.size() - std::min(start, blob.size());
  auto size_of = [&](uint64_t i) {
    return std::min(kChunkBytes, left - i * kChunkBytes);
  };
  HILUM_RETURN_IF_ERROR(RunOrdered<v1::FetchBlobResponse>(
      static_cast<int64_t>((left + kChunkBytes - 1) / kChunkBytes), kInFlight,
      [&](int64_t i, v1::FetchBlobResponse& chunk) {
        const uint64_t index = static_cast<uint64_t>(i);
        return fetch(start + index * kChunkBytes,
                     static_cast<uint32_t>(size_of(index)), chunk);
      },
      [&](int64_t i, v1::FetchBlobResponse& chunk) -> absl::Status {
        const uint64_t index = static_cast<uint64_t>(i);
        if (chunk.data().size() != size_of(index) ||
            chunk.total_size() != blob.size()) {
          return absl::DataLossError(
              absl::StrCat("blob ", ToHex(blob.sha256()),
                           ": the coordinator sent another length"));
        }
        sha.Update(chunk.data());
        return WriteAt(fd.get(), start + index * kChunkBytes, chunk.data(),
                       part);
      }));
  if (start <= blob.size() && sha.Finish() == blob.sha256()) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "blob ", ToHex(blob.sha256()), ": the fetched bytes have another hash"));
}

bool BlobCache::IsWhole(const v1::BlobRef& blob,
                        const std::string& path) const {
  if (!FileExists(path)) return false;
  if (verified_.contains(blob.sha256())) return true;
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Sha256 sha;
  auto take = [&](absl::string_view block) { sha.Update(block); };
  if (fd.get() < 0 || !ReadBlocks(fd.get(), path, take).ok() ||
      sha.Finish() != blob.sha256()) {
    unlink(path.c_str());
    return false;
  }
  verified_.insert(blob.sha256());
  return true;
}

absl::StatusOr<std::string> BlobCache::Get(const v1::BlobRef& blob,
                                           const FetchChunk& fetch) const {
  std::string path = PathOf(blob);
  if (IsWhole(blob, path)) return path;
  HILUM_RETURN_IF_ERROR(MakeRoomFor(blob));
  std::string part = absl::StrCat(path, kPart);
  absl::Status status = Download(blob, fetch, part);
  if (absl::IsDataLoss(status)) unlink(part.c_str());
  HILUM_RETURN_IF_ERROR(status);
  if (rename(part.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename", part);
  }
  verified_.insert(blob.sha256());
  return path;
}

bool BlobCache::Has(const v1::BlobRef& blob) const {
  return IsWhole(blob, PathOf(blob));
}

std::string BlobCache::PathOf(const v1::BlobRef& blob) const {
  return absl::StrCat(directory_, "/", ToHex(blob.sha256()));
}

std::string BlobCache::NewPath(absl::string_view name) const {
  return absl::StrCat(directory_, "/", name, ".new");
}

absl::Status BlobCache::Adopt(const std::string& path,
                              const v1::BlobRef& blob) const {
  if (rename(path.c_str(), PathOf(blob).c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename", path);
  }
  verified_.insert(blob.sha256());
  // The coordinator may have named the same bytes; now the file is this site's.
  return std::erase(fetched_, ToHex(blob.sha256())) > 0 ? StoreList()
                                                        : absl::OkStatus();
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
  fetched_.clear();
}

}  // namespace hilum
