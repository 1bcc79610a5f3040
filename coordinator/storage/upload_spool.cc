// SPDX-License-Identifier: Apache-2.0
#include "coordinator/storage/upload_spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {

namespace {

// How long a chunk waits for earlier chunks.
constexpr absl::Duration kOrderWait = absl::Seconds(5);
constexpr int64_t kWord = 4;  // bytes of an element

}  // namespace

struct UploadSpool::Upload {
  explicit Upload(std::string path) : path(std::move(path)) {}

  const std::string path;
  absl::Mutex mutex;
  ScopedFd fd ABSL_GUARDED_BY(mutex);
  Sha256 sha ABSL_GUARDED_BY(mutex);
  uint64_t stored ABSL_GUARDED_BY(mutex) = 0;
  bool verified ABSL_GUARDED_BY(mutex) = false;
  // Its file is gone; a new upload takes its place.
  bool broken ABSL_GUARDED_BY(mutex) = false;

  absl::Status Reopen(uint64_t size, bool create)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  absl::Status Write(absl::string_view data)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Adds the next bytes of the file to the digest.
  void Take(absl::string_view data) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  bool IsNext(uint64_t offset) const ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    return broken || offset <= stored;
  }
};

void UploadSpool::Upload::Take(absl::string_view data) {
  sha.Update(data);
  stored += data.size();
}

// Opens the file and hashes the part that an earlier process left in it.
absl::Status UploadSpool::Upload::Reopen(uint64_t size, bool create) {
  const int flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0);
  fd = ScopedFd(open(path.c_str(), flags, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  // A crash may have left part of a word; sites send whole words.
  struct stat info;
  if (fstat(fd.get(), &info) != 0 ||
      ftruncate(fd.get(), info.st_size / kWord * kWord) != 0) {
    return ErrnoStatus(errno, "cannot open", path);
  }
  HILUM_RETURN_IF_ERROR(
      ReadBlocks(fd.get(), path, [this](absl::string_view block) {
        mutex.AssertHeld();
        Take(block);
      }).status());
  if (stored > size) {
    return absl::DataLossError(absl::StrCat(path, ": longer than announced"));
  }
  return absl::OkStatus();
}

absl::Status UploadSpool::Upload::Write(absl::string_view data) {
  absl::Status written = WriteAt(fd.get(), stored, data, path);
  if (!written.ok()) {
    // Bytes past `stored` are not hashed, so they must not survive a restart.
    if (ftruncate(fd.get(), static_cast<off_t>(stored)) != 0) broken = true;
    return written;
  }
  Take(data);
  return absl::OkStatus();
}

UploadSpool::UploadSpool(std::string directory)
    : directory_(std::move(directory)) {}
UploadSpool::~UploadSpool() = default;

absl::StatusOr<std::unique_ptr<UploadSpool>> UploadSpool::Open(
    std::string directory) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(directory));
  return std::unique_ptr<UploadSpool>(new UploadSpool(std::move(directory)));
}

std::string UploadSpool::Path(const Key& key) const {
  return absl::StrCat(
      directory_, "/", ToHex(key.study_hash), "-", key.site.name(), "-",
      absl::Hex(key.round, absl::kZeroPad8), "-", ToHex(key.sha256), ".part");
}

bool UploadSpool::IsKept(const Key& key) const {
  auto kept = kept_.find(key.study_hash);
  return kept != kept_.end() && kept->second.contains(key);
}

// Keeps one update for each study and site, beside the named ones.
void UploadSpool::DropOthers(const Key& key) {
  std::set<std::string> stay = {Path(key)};
  auto kept = kept_.find(key.study_hash);
  if (kept != kept_.end()) {
    for (const Key& other : kept->second) stay.insert(Path(other));
  }
  const std::string prefix =
      absl::StrCat(ToHex(key.study_hash), "-", key.site.name(), "-");
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_, error)) {
    std::string name = entry.path().filename().string();
    bool same_site = absl::StartsWith(name, prefix) &&
                     name.size() == prefix.size() + 8 + 1 + 64 + 5;
    if (same_site && !stay.contains(entry.path().string())) {
      std::filesystem::remove(entry.path(), error);
    }
  }
  std::erase_if(uploads_, [&](const auto& entry) {
    return entry.first.study_hash == key.study_hash &&
           entry.first.site == key.site && !stay.contains(Path(entry.first));
  });
}

absl::StatusOr<std::shared_ptr<UploadSpool::Upload>> UploadSpool::Find(
    const Key& key) {
  absl::MutexLock lock(&mutex_);
  auto found = uploads_.find(key);
  if (found != uploads_.end()) return found->second;
  // A kept upload is only read, while its site may be sending the next one.
  const bool kept = IsKept(key);
  if (!kept) DropOthers(key);
  auto upload = std::make_shared<Upload>(Path(key));
  absl::MutexLock opening(&upload->mutex);
  absl::Status opened = upload->Reopen(key.size, /*create=*/!kept);
  if (!opened.ok()) {
    if (absl::IsDataLoss(opened)) unlink(upload->path.c_str());
    return opened;
  }
  uploads_[key] = upload;
  return upload;
}

absl::StatusOr<std::shared_ptr<UploadSpool::Upload>> UploadSpool::AppendTo(
    const Key& key, uint64_t offset, absl::string_view data) {
  if (data.size() % kWord != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a chunk of ", data.size(), " bytes is not whole words"));
  }
  HILUM_ASSIGN_OR_RETURN(std::shared_ptr<Upload> upload, Find(key));
  absl::ReleasableMutexLock lock(&upload->mutex);
  if (!data.empty()) {
    auto is_next = [&] {
      upload->mutex.AssertReaderHeld();
      return upload->IsNext(offset);
    };
    upload->mutex.AwaitWithTimeout(absl::Condition(&is_next), kOrderWait);
  }
  if (offset == upload->stored && !upload->broken) {
    if (data.size() > key.size - upload->stored) {
      return absl::InvalidArgumentError(absl::StrCat(
          "upload of ", key.size, " bytes would grow past its size"));
    }
    HILUM_RETURN_IF_ERROR(upload->Write(data));
  }
  if (upload->stored == key.size && !upload->verified && !upload->broken) {
    upload->verified = upload->sha.Finish() == key.sha256;
    upload->broken = !upload->verified;
  }
  bool broken = upload->broken;
  lock.Release();
  if (broken) {
    Remove(key);
    return absl::DataLossError(
        "the upload's bytes do not have the hash announced; it starts again");
  }
  return upload;
}

absl::StatusOr<uint64_t> UploadSpool::Append(const Key& key, uint64_t offset,
                                             absl::string_view data) {
  HILUM_ASSIGN_OR_RETURN(std::shared_ptr<Upload> upload,
                         AppendTo(key, offset, data));
  absl::MutexLock lock(&upload->mutex);
  return upload->stored;
}

absl::StatusOr<std::string> UploadSpool::Complete(const Key& key) {
  // An empty append opens and verifies the file that a restart left behind.
  HILUM_ASSIGN_OR_RETURN(std::shared_ptr<Upload> upload,
                         AppendTo(key, key.size, ""));
  absl::MutexLock lock(&upload->mutex);
  if (upload->stored != key.size) {
    return absl::FailedPreconditionError(
        absl::StrCat("the update is not uploaded: ", upload->stored, " of ",
                     key.size, " bytes are here"));
  }
  return upload->path;
}

void UploadSpool::Keep(absl::string_view study_hash, std::set<Key> keys) {
  absl::MutexLock lock(&mutex_);
  kept_[std::string(study_hash)] = std::move(keys);
}

absl::StatusOr<std::string> UploadSpool::KeptPath(const Key& key) {
  {
    absl::MutexLock lock(&mutex_);
    if (!IsKept(key)) {
      return absl::NotFoundError(absl::StrCat("vector ", ToHex(key.sha256),
                                              " is not kept here any more"));
    }
  }
  return Complete(key);
}

absl::StatusOr<std::string> UploadSpool::Read(const Key& key, uint64_t offset,
                                              uint64_t max_bytes) {
  HILUM_ASSIGN_OR_RETURN(std::string path, KeptPath(key));
  if (offset > key.size) {
    return absl::OutOfRangeError(absl::StrCat("offset ", offset, " of a vector",
                                              " of ", key.size, " bytes"));
  }
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  std::string data(std::min(max_bytes, key.size - offset), '\0');
  HILUM_RETURN_IF_ERROR(
      ReadAt(fd.get(), offset, data.data(), data.size(), path));
  return data;
}

void UploadSpool::Remove(const Key& key) {
  absl::MutexLock lock(&mutex_);
  uploads_.erase(key);
  unlink(Path(key).c_str());
}

void UploadSpool::RemoveStudy(absl::string_view hash) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(uploads_, [&](const auto& entry) {
    return entry.first.study_hash == hash;
  });
  kept_.erase(std::string(hash));
  const std::string prefix = absl::StrCat(ToHex(hash), "-");
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_, error)) {
    if (absl::StartsWith(entry.path().filename().string(), prefix)) {
      std::filesystem::remove(entry.path(), error);
    }
  }
}

}  // namespace hilum
