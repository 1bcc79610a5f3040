// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SUPPORT_TINY_DISK_H_
#define HILUM_TESTS_SUPPORT_TINY_DISK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace hilum {

// A file system of its own (tmpfs) that a test can fill to the last byte. Only
// this process sees the mount, and it is unmounted with this object, so that a
// test that crashes leaves nothing mounted.
// Life: Mount, then Fill and Free in turn.
class TinyDisk {
 public:
  // PERMISSION_DENIED: this user may not mount; skip the test.
  static absl::StatusOr<std::unique_ptr<TinyDisk>> Mount(uint64_t num_bytes);
  ~TinyDisk();

  const std::string& path() const { return path_; }

  // Takes all space except `left` bytes, rounded down to whole pages.
  absl::Status Fill(uint64_t left = 0);
  void Free();

 private:
  explicit TinyDisk(std::string path) : path_(std::move(path)) {}
  std::string Ballast() const { return path_ + "/ballast"; }

  const std::string path_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_TINY_DISK_H_
