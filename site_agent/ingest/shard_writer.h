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

// Size at which a shard is full and the next one is begun.
inline constexpr uint64_t kShardBytes = 1ull << 30;

// A position in the shards. The end of a store is a position in its last shard;
// all shards before it are full.
struct ShardEnd {
  int number = 1;  // from 1; STORE/shards/NNNN.shard
  uint64_t bytes = 0;
};

// Appends records to a store's shards. Not thread-safe. Life: Append* Sync, any
// number of times. Useless after an error.
class ShardWriter {
 public:
  // `end`: the end that was synced and recorded last. Cuts off all bytes behind
  // it: a torn tail, or a record that was not recorded. DATA_LOSS: the shard is
  // shorter.
  static absl::StatusOr<ShardWriter> Open(const std::string& store,
                                          const ShardEnd& end);

  // Returns the place where the record begins. RESOURCE_EXHAUSTED: disk full.
  absl::StatusOr<ShardEnd> Append(absl::string_view record);
  // Puts all records on disk.
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
