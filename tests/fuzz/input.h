// SPDX-License-Identifier: Apache-2.0
// For fuzz targets: FuzzInput cuts their bytes up, and HILUM_CHECK states what
// must hold (it ends the process, which a fuzzer looks for).
#ifndef HILUM_TESTS_FUZZ_INPUT_H_
#define HILUM_TESTS_FUZZ_INPUT_H_

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/check.h"
#include "common/base/file.h"

namespace hilum {

// Reads bytes from front to back; past the end it returns zeros and empty
// strings.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return byte;
  }
  // Returns at most `size` bytes.
  std::string Bytes(size_t size) {
    const std::string bytes(rest_.substr(0, size));
    rest_.remove_prefix(bytes.size());
    return bytes;
  }
  // Returns as many bytes as the next byte says.
  std::string Text() { return Bytes(Byte()); }
  std::string Rest() { return Bytes(rest_.size()); }

 private:
  absl::string_view rest_;
};

// Bytes under a path, for code that reads files; in memory, gone with this
// object.
class MemoryFile {
 public:
  explicit MemoryFile(absl::string_view bytes) : fd_(memfd_create("fuzz", 0)) {
    HILUM_CHECK(WriteAt(fd_.get(), 0, bytes, "memory").ok());
  }
  std::string path() const { return absl::StrCat("/proc/self/fd/", fd_.get()); }

 private:
  ScopedFd fd_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_FUZZ_INPUT_H_
