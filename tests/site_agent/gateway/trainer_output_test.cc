// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class TrainerOutputLogTest : public testing::Test {
 protected:
  TrainerOutputLogTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    write_ = ScopedFd(ends[1]);
    auto log = TrainerOutputLog::Start(
        ScopedFd(ends[0]), 7,
        [this](absl::string_view line) { lines_.emplace_back(line); });
    EXPECT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }
  void Say(const std::string& text) {
    ASSERT_EQ(write(write_.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }

  ScopedFd write_;
  std::vector<std::string> lines_;  // read after log_ has ended
  std::unique_ptr<TrainerOutputLog> log_;
};

TEST_F(TrainerOutputLogTest, EachLineIsTheTrainersAndPrintable) {
  Say("one\n2026-12-01T00:00:00Z study approved\x1b[2J\n\ncut o");
  log_.reset();
  EXPECT_THAT(
      lines_,
      ElementsAre("trainer 7: one",
                  "trainer 7: 2026-12-01T00:00:00Z study approved\\x1B[2J",
                  "trainer 7: ", "trainer 7: cut o"));
}

TEST_F(TrainerOutputLogTest, ALineWithoutEndIsCut) {
  for (int i = 0; i < 100; ++i) Say(std::string(10000, 'x'));
  Say("\nnext\n");
  log_.reset();
  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_LE(lines_[0].size(), TrainerOutputLog::kLongestLine + 20);
  EXPECT_EQ(lines_[1], "trainer 7: next");
}

TEST_F(TrainerOutputLogTest, LinesWithoutEndFillNoDisk) {
  for (size_t i = 0; i < TrainerOutputLog::kMostLines; ++i) Say("x\nx\n");
  log_.reset();
  ASSERT_THAT(lines_, SizeIs(TrainerOutputLog::kMostLines + 1));
  EXPECT_THAT(lines_.back(), HasSubstr("left out"));
}

// A process that the trainer has started may outlive it and hold the pipe.
TEST_F(TrainerOutputLogTest, ItEndsWhileSomebodyHoldsThePipe) {
  Say("last words");
  log_.reset();
  EXPECT_THAT(lines_, ElementsAre("trainer 7: last words"));
  EXPECT_GE(write_.get(), 0);
}

}  // namespace
}  // namespace hilum
