// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace hilum {
namespace {

// More than any consortium needs; RLIM_INFINITY is no number to divide.
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

}  // namespace hilum
