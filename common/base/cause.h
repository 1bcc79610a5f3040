// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_CAUSE_H_
#define HILUM_COMMON_BASE_CAUSE_H_

#include "absl/status/status.h"

namespace hilum {

// The limit that a RESOURCE_EXHAUSTED is about; it decides whether waiting
// helps. A status carries it as a payload, also through common/rpc.
enum class Cause {
  kUnknown,
  kDiskFull,     // of this machine's disk; somebody can make room
  kTooLarge,     // a file or message over a limit, each time
  kOutOfMemory,  // of a device, for this work, each time
};

absl::Status WithCause(absl::Status status, Cause cause);
// Returns kUnknown also for text that no release of this program writes.
Cause CauseOf(const absl::Status& status);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_CAUSE_H_
