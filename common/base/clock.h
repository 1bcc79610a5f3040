// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_CLOCK_H_
#define HILUM_COMMON_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace hilum {

// Tells the time; injected wherever it is needed. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
};

// Returns the machine's clock, which lives for the whole process.
Clock& RealClock();

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_CLOCK_H_
