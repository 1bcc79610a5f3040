// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_LATE_CLOCK_H_
#define HILUM_TESTS_COORDINATOR_LATE_CLOCK_H_

#include <atomic>

#include "common/base/clock.h"

namespace hilum {

// The machine's clock, which a test can move past deadlines. Thread-safe.
class LateClock : public Clock {
 public:
  absl::Time Now() override {
    return RealClock().Now() + absl::Seconds(late_seconds_.load());
  }
  void Advance(absl::Duration by) { late_seconds_ += absl::ToInt64Seconds(by); }

 private:
  std::atomic<int64_t> late_seconds_{0};
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_LATE_CLOCK_H_
