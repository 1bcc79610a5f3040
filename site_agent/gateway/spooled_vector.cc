// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/spooled_vector.h"

#include <fcntl.h>
#include <unistd.h>

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

void SpooledVector::Clear() {
  known_task_.clear();
  unlink(TaskPath().c_str());
  for (const char* end : {"", ".new"}) unlink((path_ + end).c_str());
  unlink(masked_path().c_str());
}

}  // namespace hilum
