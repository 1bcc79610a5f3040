// SPDX-License-Identifier: Apache-2.0
#include "common/base/clock.h"

#include <gtest/gtest.h>

#include <ctime>

namespace hilum {
namespace {

// Deadlines and certificates are in this time: another epoch or unit would be
// years off.
TEST(ClockTest, RealClockTellsTheMachinesTime) {
  const std::time_t before = std::time(nullptr);
  const absl::Time now = RealClock().Now();
  const std::time_t after = std::time(nullptr);
  EXPECT_GE(now, absl::FromTimeT(before - 1));
  EXPECT_LE(now, absl::FromTimeT(after + 1));
}

TEST(ClockTest, RealClockIsOneObjectThatGoesOn) {
  EXPECT_EQ(&RealClock(), &RealClock());
  const absl::Time start = RealClock().Now();
  while (RealClock().Now() == start) {
  }
}

}  // namespace
}  // namespace hilum
