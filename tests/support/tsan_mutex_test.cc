// SPDX-License-Identifier: Apache-2.0
// Built by the preset `tsan` alone. A false report makes this program exit
// with 66, whatever its tests say.
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace {

TEST(TsanMutexTest, MutexOrdersWhatItGuards) {
  absl::Mutex mutex;
  int count = 0;
  auto add = [&] {
    for (int i = 0; i < 1000; ++i) {
      absl::MutexLock lock(&mutex);
      ++count;
    }
  };
  std::thread other(add);
  add();
  other.join();
  EXPECT_EQ(count, 2000);
}

TEST(TsanMutexTest, ConditionOrdersWhatItReads) {
  absl::Mutex mutex;
  int turn = 0;
  auto take_turns = [&](int own) {
    auto is_own = [&] { return turn % 2 == own; };
    for (int i = 0; i < 1000; ++i) {
      absl::MutexLock lock(&mutex, absl::Condition(&is_own));
      ++turn;
    }
  };
  std::thread other([&] { take_turns(1); });
  take_turns(0);
  other.join();
  EXPECT_EQ(turn, 2000);
}

TEST(TsanMutexTest, CondVarOrdersWhatItWaitsFor) {
  absl::Mutex mutex;
  absl::CondVar changed;
  bool ready = false;
  int value = 0;
  std::thread other([&] {
    value = 1;
    absl::MutexLock lock(&mutex);
    ready = true;
    changed.Signal();
  });
  {
    absl::MutexLock lock(&mutex);
    while (!ready) changed.Wait(&mutex);
  }
  EXPECT_EQ(value, 1);
  other.join();
}

TEST(TsanMutexTest, NotificationOrdersWhatCameBefore) {
  absl::Notification notified;
  int value = 0;
  std::thread other([&] {
    value = 1;
    notified.Notify();
  });
  notified.WaitForNotification();
  EXPECT_EQ(value, 1);
  other.join();
}

// Lets one of two threads write without the lock.
void RaceAndExit() {
  absl::Mutex mutex;
  int count = 0;
  std::thread other([&] {
    absl::MutexLock lock(&mutex);
    ++count;
  });
  ++count;
  other.join();
  std::exit(0);
}

TEST(TsanMutexTest, AccessWithoutTheLockIsStillReported) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(RaceAndExit(), testing::ExitedWithCode(66), "data race");
}

}  // namespace
