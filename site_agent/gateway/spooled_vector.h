// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SPOOLED_VECTOR_H_
#define HILUM_SITE_AGENT_GATEWAY_SPOOLED_VECTOR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// The vector of the current task, in a file, with a note of the task. So
// neither a second attempt at a round's sum nor a restarted site trains again
// what is trained already. Not thread-safe.
class SpooledVector {
 public:
  explicit SpooledVector(std::string path) : path_(std::move(path)) {}

  // The path of the vector.
  const std::string& path() const { return path_; }
  // The path of the masked vector.
  std::string masked_path() const { return path_ + ".masked"; }

  // Returns the vector of the task, in any step of its sum, if it is here. An
  // unreadable file counts as absent.
  std::optional<v1::BlobRef> Find(const v1::Task& task);
  // Notes that path() holds the task's vector. RESOURCE_EXHAUSTED: disk full.
  absl::Status Put(const v1::Task& task, const v1::BlobRef& vector);
  // Notes that this process has just written the masked vector to
  // masked_path(). A repeated note changes nothing.
  void NoteMasked(const v1::BlobRef& masked);
  // Returns the SHA-256 that NoteMasked noted if the file was not changed
  // since, by its inode, size and time of change; else an empty string.
  std::string MaskedSha256() const;
  // Forgets the vector and removes its files. Call before writing to path().
  void Clear();

 private:
  std::string TaskPath() const { return path_ + ".task"; }

  const std::string path_;
  // The vector that Put noted, or that Find found whole.
  std::string known_task_;
  v1::BlobRef known_;
  std::string masked_sha256_;
  std::string masked_stamp_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SPOOLED_VECTOR_H_
