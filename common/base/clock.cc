// SPDX-License-Identifier: Apache-2.0
#include "common/base/clock.h"

#include "absl/time/clock.h"

namespace hilum {
namespace {

class SystemClock : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
};

}  // namespace

Clock& RealClock() {
  static SystemClock clock;
  return clock;
}

}  // namespace hilum
