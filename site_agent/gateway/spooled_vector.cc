// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/spooled_vector.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

std::string KeyOf(const v1::Task& task) {
  v1::Task key = task;
  key.clear_secure();
  return Sha256Of(key.SerializeAsString());
}

bool IsWhole(const std::string& path, const v1::BlobRef& vector) {
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return false;
  Sha256 sha;
  absl::StatusOr<uint64_t> size = ReadBlocks(
      fd.get(), path, [&](absl::string_view block) { sha.Update(block); });
  return size.ok() && *size == vector.size() && sha.Finish() == vector.sha256();
}

// Returns what the kernel changes in a file's entry whenever somebody writes to
// the file; empty: there is no plain file.
std::string StampOf(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  return absl::StrCat(info.st_dev, " ", info.st_ino, " ", info.st_size, " ",
                      info.st_ctim.tv_sec, " ", info.st_ctim.tv_nsec);
}

}  // namespace

std::optional<v1::BlobRef> SpooledVector::Find(const v1::Task& task) {
  const std::string key = KeyOf(task);
  if (known_task_ == key) return known_;
  absl::StatusOr<std::string> note = ReadFile(TaskPath(), 4096);
  v1::BlobRef vector;
  if (!note.ok() || note->substr(0, key.size()) != key ||
      !vector.ParseFromString(note->substr(key.size())) ||
      !IsWhole(path_, vector)) {
    return std::nullopt;
  }
  known_task_ = key;
  known_ = vector;
  return known_;
}

absl::Status SpooledVector::Put(const v1::Task& task,
                                const v1::BlobRef& vector) {
  const std::string key = KeyOf(task);
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      TaskPath(), key + vector.SerializeAsString(), Durability::kNone, 0600));
  known_task_ = key;
  known_ = vector;
  return absl::OkStatus();
}

void SpooledVector::NoteMasked(const v1::BlobRef& masked) {
  if (masked_sha256_ == masked.sha256()) return;
  masked_sha256_ = masked.sha256();
  masked_stamp_ = StampOf(masked_path());
}

std::string SpooledVector::MaskedSha256() const {
  const std::string now = StampOf(masked_path());
  return !now.empty() && now == masked_stamp_ ? masked_sha256_ : std::string();
}

void SpooledVector::Clear() {
  known_task_.clear();
  masked_sha256_.clear();
  unlink(TaskPath().c_str());
  for (const char* end : {"", ".new"}) unlink((path_ + end).c_str());
  unlink(masked_path().c_str());
}

}  // namespace hilum
