// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/cut_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

using testing::ElementsAre;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class CutLogTest : public testing::Test {
 protected:
  std::vector<std::string> lines_;
  CutLog log_{[this](absl::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(CutLogTest, TheFirstOneIsNamedAtOnce) {
  log_.Note("silent", "192.0.2.1", kNow);
  EXPECT_THAT(lines_, ElementsAre("cut 1 connection of 192.0.2.1: silent"));
  EXPECT_EQ(log_.NextFlush(), absl::InfiniteFuture());
}

TEST_F(CutLogTest, AFloodIsOneLineInTenSecondsAndNamesWhoHasTheMost) {
  for (int i = 0; i < 5000; ++i) {
    log_.Note("silent", i % 5 == 0 ? absl::StrCat("host-", i) : "192.0.2.1",
              kNow);
  }
  log_.Flush(kNow + absl::Seconds(9));
  EXPECT_EQ(lines_.size(), 1u);
  EXPECT_EQ(log_.NextFlush(), kNow + absl::Seconds(10));
  log_.Flush(kNow + absl::Seconds(10));
  EXPECT_THAT(lines_, ElementsAre("cut 1 connection of host-0: silent",
                                  "cut 4000 connections of 192.0.2.1 and 999 "
                                  "of others: silent"));
  log_.Flush(kNow + absl::Seconds(20));
  EXPECT_EQ(lines_.size(), 2u);
}

TEST_F(CutLogTest, EachReasonHasItsLine) {
  log_.Note("silent", "192.0.2.1", kNow);
  log_.Note("full", "192.0.2.1", kNow);
  EXPECT_EQ(lines_.size(), 2u);
}

}  // namespace
}  // namespace hilum
