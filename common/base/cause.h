// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_CAUSE_H_
#define HILUM_COMMON_BASE_CAUSE_H_

#include "absl/status/status.h"

namespace hilum {

// Which limit a RESOURCE_EXHAUSTED is about: whether waiting helps depends on
// it. A status carries it as a payload, through common/rpc, too.
enum class Cause {
  kUnknown,
  kDiskFull,     // of the machine where it happened; somebody makes room
  kTooLarge,     // a file or message over a limit, each time
  kOutOfMemory,  // of a device, for this work, each time
};

absl::Status WithCause(absl::Status status, Cause cause);
// kUnknown also for what no release of this program has written.
Cause CauseOf(const absl::Status& status);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_CAUSE_H_
