// SPDX-License-Identifier: Apache-2.0
#include "common/cli/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "absl/synchronization/notification.h"

namespace hilum {
namespace {

using ::testing::EndsWith;
using ::testing::MatchesRegex;

TEST(ServiceTest, ALineHasItsTimeInUtcAndItsLevel) {
  const absl::Time now = absl::FromCivil(
      absl::CivilSecond(2026, 12, 1, 10, 57, 8), absl::UTCTimeZone());
  EXPECT_EQ(LogLine(now, "listening"),
            "2026-12-01T10:57:08Z info    listening");
  EXPECT_EQ(LogLine(now, "warning: the disk is full"),
            "2026-12-01T10:57:08Z warning the disk is full");
  EXPECT_EQ(LogLine(now, "error: no disk"),
            "2026-12-01T10:57:08Z error   no disk");
  // Inside a line "warning: " sets no level.
  EXPECT_THAT(LogLine(now, "site a: warning: b"),
              EndsWith("info    site a: warning: b"));
}

TEST(ServiceTest, LogWritesOneLineToStandardError) {
  testing::internal::CaptureStderr();
  Log("stopping");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("....-..-..T..:..:..Z info    stopping\n"));
}

TEST(StopSignalsTest, ASignalCallsOnStopAndDoesNotEndTheProcess) {
  for (int signal : {SIGINT, SIGTERM}) {
    absl::Notification stopped;
    StopSignals signals;
    signals.Start([&] { stopped.Notify(); });
    kill(getpid(), signal);
    stopped.WaitForNotification();
  }
}

// OpenBLAS has threads before main.
TEST(StopSignalsTest, AThreadThatWasThereBeforeHandsTheSignalOn) {
  absl::Notification ended;
  std::thread before([&] { ended.WaitForNotification(); });
  for (int signal : {SIGINT, SIGTERM}) {
    absl::Notification stopped;
    StopSignals signals;
    signals.Start([&] { stopped.Notify(); });
    pthread_kill(before.native_handle(), signal);
    stopped.WaitForNotification();
  }
  ended.Notify();
  before.join();
}

TEST(StopSignalsTest, WaitTakesASignalThatCameBefore) {
  StopSignals signals;
  kill(getpid(), SIGTERM);
  signals.Wait();
}

TEST(StopSignalsTest, WithoutASignalTheThreadEndsWithTheObject) {
  bool stopped = false;
  {
    StopSignals signals;
    signals.Start([&] { stopped = true; });
  }
  EXPECT_FALSE(stopped);
}

}  // namespace
}  // namespace hilum
