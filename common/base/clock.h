// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_CLOCK_H_
#define HILUM_COMMON_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace hilum {

// Time, injected wherever it is needed. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
};

// The machine's clock; lives for the whole process.
Clock& RealClock();

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_CLOCK_H_
