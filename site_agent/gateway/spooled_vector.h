// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SPOOLED_VECTOR_H_
#define HILUM_SITE_AGENT_GATEWAY_SPOOLED_VECTOR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// The vector of the task at hand, in a file, and which task that is: neither
// a second attempt at a round's sum nor a site that was started anew trains
// again what it has trained. Not thread-safe.
class SpooledVector {
 public:
  explicit SpooledVector(std::string path) : path_(std::move(path)) {}

  // Where the vector is written, and read.
  const std::string& path() const { return path_; }
  // Where it goes masked.
  std::string masked_path() const { return path_ + ".masked"; }

  // Of the very task, whatever step it is in: its vector, if that is here. What
  // cannot be read is not here.
  std::optional<v1::BlobRef> Find(const v1::Task& task);
  // path() is the task's vector now. RESOURCE_EXHAUSTED: disk full.
  absl::Status Put(const v1::Task& task, const v1::BlobRef& vector);
  // Nothing is here any more; so before path() is written.
  void Clear();

 private:
  std::string TaskPath() const { return path_ + ".task"; }

  const std::string path_;
  // What Put wrote, or what was found whole.
  std::string known_task_;
  v1::BlobRef known_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SPOOLED_VECTOR_H_
