// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STORAGE_UPLOAD_SPOOL_H_
#define HILUM_COORDINATOR_STORAGE_UPLOAD_SPOOL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"

namespace hilum {

// Incoming updates: one file for each study and site. Chunks are hashed while
// they are appended, so that a finished upload needs no second read. After a
// restart the stored part is read once when its upload goes on. When a site
// begins another update, its other ones are dropped, except those that Keep
// names. Thread-safe; uploads of different sites run in parallel.
class UploadSpool {
 public:
  // Creates `directory` if absent.
  static absl::StatusOr<std::unique_ptr<UploadSpool>> Open(
      std::string directory);
  ~UploadSpool();

  struct Key {
    std::string study_hash;  // 32 raw bytes
    SiteId site;
    uint32_t round;
    std::string sha256;  // of the whole update, 32 raw bytes
    uint64_t size;       // of the whole update
    auto operator<=>(const Key&) const = default;
  };

  // Stores `data` if `offset` is the stored length; returns the new stored
  // length. Where earlier chunks are missing, waits a few seconds for them: a
  // site sends several at a time. RESOURCE_EXHAUSTED: disk full; the stored
  // part stays valid. DATA_LOSS: complete, but with another hash; the file is
  // gone. INVALID_ARGUMENT: more than `size`, or not whole 32-bit words.
  absl::StatusOr<uint64_t> Append(const Key& key, uint64_t offset,
                                  absl::string_view data);

  // Returns the path of the complete file. FAILED_PRECONDITION: not complete
  // yet.
  absl::StatusOr<std::string> Complete(const Key& key);

  // Keeps these complete uploads of a study until the next call for it.
  void Keep(absl::string_view study_hash, std::set<Key> keys);
  // Read: returns up to max_bytes from offset of a kept upload. KeptPath:
  // returns its whole file, valid while it is kept. NOT_FOUND: it is not kept,
  // or its file is gone. FAILED_PRECONDITION: not complete. OUT_OF_RANGE:
  // offset past its end.
  absl::StatusOr<std::string> KeptPath(const Key& key);
  absl::StatusOr<std::string> Read(const Key& key, uint64_t offset,
                                   uint64_t max_bytes);

  void Remove(const Key& key);
  // Removes all uploads of a study, complete or not; 32 raw bytes.
  void RemoveStudy(absl::string_view hash);

 private:
  struct Upload;
  absl::StatusOr<std::shared_ptr<Upload>> AppendTo(const Key& key,
                                                   uint64_t offset,
                                                   absl::string_view data);
  explicit UploadSpool(std::string directory);
  std::string Path(const Key& key) const;
  absl::StatusOr<std::shared_ptr<Upload>> Find(const Key& key);
  void DropOthers(const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsKept(const Key& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string directory_;
  absl::Mutex mutex_;
  // Shared with the calls that append to an upload now.
  std::map<Key, std::shared_ptr<Upload>> uploads_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::set<Key>> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STORAGE_UPLOAD_SPOOL_H_
