// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/folder_watch.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kLong = absl::Seconds(30);

class FolderWatchTest : public testing::Test {
 protected:
  FolderWatchTest() {
    std::string name = testing::TempDir() + "/folder-watch-XXXXXX";
    folder_ = mkdtemp(name.data());
    fs::create_directories(folder_ + "/watched");
    fs::create_directories(folder_ + "/beside");
  }
  ~FolderWatchTest() override { fs::remove_all(folder_); }

  std::string folder_;
};

// Approvals are written beside their place and renamed into it.
TEST_F(FolderWatchTest, AFileThatIsMadeOrRenamedIntoTheFolderIsTold) {
  std::ofstream(folder_ + "/beside/a") << "x";
  for (bool renamed : {false, true}) {
    absl::Notification told;
    auto watch = FolderWatch::Start(folder_ + "/watched", [&] {
      if (!told.HasBeenNotified()) told.Notify();
    });
    ASSERT_TRUE(watch.ok()) << watch.status();
    if (renamed) {
      fs::rename(folder_ + "/beside/a", folder_ + "/watched/a");
    } else {
      std::ofstream(folder_ + "/watched/new") << "x";
    }
    EXPECT_TRUE(told.WaitForNotificationWithTimeout(kLong)) << renamed;
  }
}

TEST_F(FolderWatchTest, WhatComesElsewhereIsNotTold) {
  int told = 0;
  absl::Notification last;
  {
    auto watch = FolderWatch::Start(folder_ + "/watched", [&] {
      ++told;
      if (!last.HasBeenNotified()) last.Notify();
    });
    ASSERT_TRUE(watch.ok()) << watch.status();
    std::ofstream(folder_ + "/beside/a") << "x";
    std::ofstream(folder_ + "/watched/new") << "x";
    ASSERT_TRUE(last.WaitForNotificationWithTimeout(kLong));
  }
  EXPECT_EQ(told, 1);
}

TEST_F(FolderWatchTest, AfterItsEndNothingIsCalled) {
  int told = 0;
  {
    auto watch = FolderWatch::Start(folder_ + "/watched", [&] { ++told; });
  }
  std::ofstream(folder_ + "/watched/new") << "x";
  EXPECT_EQ(told, 0);
}

TEST_F(FolderWatchTest, AFolderThatIsNotThereIsNamed) {
  const auto watch = FolderWatch::Start(folder_ + "/nowhere", [] {});
  EXPECT_TRUE(absl::IsNotFound(watch.status())) << watch.status();
  EXPECT_TRUE(absl::StrContains(watch.status().message(), "/nowhere"))
      << watch.status();
}

}  // namespace
}  // namespace hilum
