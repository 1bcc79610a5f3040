// SPDX-License-Identifier: Apache-2.0
#include "common/cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace hilum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class HandClock final : public Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::UnixEpoch();
};

TEST(ProgressTest, BarIsFullOnlyAtTheEnd) {
  EXPECT_EQ(ProgressBar(0, 10, 5), "-----");
  EXPECT_EQ(ProgressBar(9, 10, 5), "====-");
  EXPECT_EQ(ProgressBar(10, 10, 5), "=====");
  EXPECT_EQ(ProgressBar(99, 10, 5), "=====");
}

TEST(ProgressTest, DurationsAreInTheLargestFittingUnit) {
  EXPECT_EQ(ShortDuration(absl::Seconds(-3)), "0 s");
  EXPECT_EQ(ShortDuration(absl::Seconds(59.4)), "59 s");
  EXPECT_EQ(ShortDuration(absl::Seconds(185)), "3 min 05 s");
  EXPECT_EQ(ShortDuration(absl::Minutes(130)), "2 h 10 min");
}

TEST(ProgressTest, TextHasARateFromOneASecondOn) {
  EXPECT_EQ(ProgressText("Images", 0, 5000, absl::Seconds(1)),
            "Images 0/5000 (0 %)");
  EXPECT_EQ(ProgressText("Images", 1200, 5000, absl::Seconds(24)),
            "Images 1200/5000 (24 %), 50/s, 1 min 16 s left");
  EXPECT_EQ(ProgressText("Rounds", 1, 3, absl::Seconds(20)),
            "Rounds 1/3 (33 %), 40 s left");
  EXPECT_EQ(ProgressText("Rounds", 3, 3, absl::Seconds(60)),
            "Rounds 3/3 (100 %), took 1 min 00 s");
}

TEST(ProgressTest, AFileGetsALineATenthAndALineAMinute) {
  HandClock clock;
  std::ostringstream out;
  Progress progress("Images", 100, clock, out, /*terminal=*/false);
  progress.Report(1);
  EXPECT_EQ(out.str(), "");
  clock.now += absl::Seconds(61);
  progress.Report(2);
  EXPECT_THAT(out.str(), HasSubstr("Images 2/100"));
  progress.Report(9);
  EXPECT_THAT(out.str(), Not(HasSubstr("9/100")));
  progress.Report(10);
  EXPECT_THAT(out.str(), HasSubstr("Images 10/100 (10 %)"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\r")));
}

TEST(ProgressTest, ATerminalIsWrittenOverAtMostTwiceASecondAndToTheEnd) {
  HandClock clock;
  std::ostringstream out;
  {
    Progress progress("Images", 100, clock, out, /*terminal=*/true);
    progress.Report(1);
    clock.now += absl::Milliseconds(100);
    progress.Report(2);
    EXPECT_THAT(out.str(), Not(HasSubstr("2/100")));
    progress.Report(100);
  }
  EXPECT_THAT(out.str(), HasSubstr("\r[============================] Images "
                                   "100/100"));
  EXPECT_EQ(out.str().back(), '\n');
}

}  // namespace
}  // namespace hilum
