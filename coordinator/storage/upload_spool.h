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

// Updates on their way in: one file per study and site, appended to chunk by
// chunk and hashed on the way, so that a finished upload needs no second
// read. What was stored before a restart is read once when its upload goes
// on. A site that begins another update drops its other ones, but for those
// that are kept.
// Thread-safe; uploads of different sites run side by side.
class UploadSpool {
 public:
  // `directory` is made where absent.
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

  // Stores `data` if `offset` is what is stored already; returns what is
  // stored then. Where chunks before this one are on their way, waits a few
  // seconds for them: a site sends several at a time.
  // RESOURCE_EXHAUSTED: disk full, what was stored stays valid.
  // DATA_LOSS: complete, but of another hash; the file is gone.
  // INVALID_ARGUMENT: more than `size`, or not whole 32-bit words.
  absl::StatusOr<uint64_t> Append(const Key& key, uint64_t offset,
                                  absl::string_view data);

  // The path of the complete file. FAILED_PRECONDITION: not complete yet.
  absl::StatusOr<std::string> Complete(const Key& key);

  // Keeps these uploads of a study, all complete, until others are named.
  void Keep(absl::string_view study_hash, std::set<Key> keys);
  // Reads up to max_bytes from offset of a kept upload. NOT_FOUND: it is not
  // kept, or its file is gone. FAILED_PRECONDITION: not complete.
  // OUT_OF_RANGE: offset past its end.
  // Its whole file is at KeptPath, as long as it is kept.
  absl::StatusOr<std::string> KeptPath(const Key& key);
  absl::StatusOr<std::string> Read(const Key& key, uint64_t offset,
                                   uint64_t max_bytes);

  void Remove(const Key& key);
  // All of a study, whole or not; 32 raw bytes.
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
  // Shared with the calls that append to it at this moment.
  std::map<Key, std::shared_ptr<Upload>> uploads_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::set<Key>> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STORAGE_UPLOAD_SPOOL_H_
