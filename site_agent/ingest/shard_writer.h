// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_SHARD_WRITER_H_
#define HILUM_SITE_AGENT_INGEST_SHARD_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace hilum {

// A shard is full, and the next one begun, when it has so many bytes.
inline constexpr uint64_t kShardBytes = 1ull << 30;

// Where a shard ends; of the last one, since all before it are full.
struct ShardEnd {
  int number = 1;  // from 1; STORE/shards/NNNN.shard
  uint64_t bytes = 0;
};

// Appends records to a store's shards. Not thread-safe.
// Life: Append* Sync, again and again. After an error it is of no use.
class ShardWriter {
 public:
  // `end` is what was synced and noted last: what is behind it, a torn tail or
  // a record that nobody noted, is cut off. DATA_LOSS: the shard is shorter.
  static absl::StatusOr<ShardWriter> Open(const std::string& store,
                                          const ShardEnd& end);

  // The place where the record begins. RESOURCE_EXHAUSTED: disk full.
  absl::StatusOr<ShardEnd> Append(absl::string_view record);
  // All records are on disk when it returns.
  absl::Status Sync();
  const ShardEnd& end() const { return end_; }

 private:
  ShardWriter(std::string folder, ShardEnd end)
      : folder_(std::move(folder)), end_(end) {}
  std::string PathOf(int number) const;
  absl::Status OpenShard();

  std::string folder_;
  ShardEnd end_;
  ScopedFd fd_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_SHARD_WRITER_H_
