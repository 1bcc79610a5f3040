// SPDX-License-Identifier: Apache-2.0
#include "common/base/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

// More than any program here needs; RLIM_INFINITY cannot be divided.
constexpr rlim_t kMost = 1 << 20;

}  // namespace

size_t RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
      limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = std::min(limit.rlim_max, kMost);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  return DescriptorLimit();
}

size_t DescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return std::min(limit.rlim_cur, kMost);
}

absl::Status CheckDescriptors(size_t needed, absl::string_view what) {
  const size_t limit = DescriptorLimit();
  if (needed <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      what, ": ", needed,
      " open files and sockets are needed, and this "
      "process may have ",
      limit, "; raise the limit (`ulimit -n ", needed,
      "`, LimitNOFILE= of systemd, or nofile in /etc/security/limits.conf)"));
}

}  // namespace hilum
