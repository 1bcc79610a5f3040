// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/dumpable.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace hilum {

absl::Status HideMemory() {
  const rlimit no_core = {0, 0};
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
      setrlimit(RLIMIT_CORE, &no_core) == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrCat("cannot hide this process's memory from others of its user ",
                   "(PR_SET_DUMPABLE, RLIMIT_CORE): ", std::strerror(errno)));
}

bool MemoryIsHidden() {
  rlimit core = {1, 1};
  return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
         getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
}

}  // namespace hilum
