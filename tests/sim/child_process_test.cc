// SPDX-License-Identifier: Apache-2.0
#include "sim/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

class ChildProcessTest : public testing::Test {
 protected:
  ChildProcessTest()
      : folder_(absl::StrCat(testing::TempDir(), "/child-", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~ChildProcessTest() override { std::filesystem::remove_all(folder_); }
  std::string log() const { return absl::StrCat(folder_, "/log"); }

  const std::string folder_;
};

TEST_F(ChildProcessTest, CommandGivesItsOutput) {
  const auto out = RunCommand({"/bin/sh", "-c", "echo hello"}, log());
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(*out, "hello\n");
}

TEST_F(ChildProcessTest, FailedCommandShowsWhatItSaidAndItsStatus) {
  const auto out =
      RunCommand({"/bin/sh", "-c", "echo too bad >&2; exit 3"}, log());
  EXPECT_THAT(std::string(out.status().message()),
              testing::AllOf(HasSubstr("status 3"), HasSubstr("too bad")));
  EXPECT_FALSE(RunCommand({"/no/such/program"}, log()).ok());
}

TEST_F(ChildProcessTest, StopEndsAProcessThatIgnoresSigterm) {
  const std::string ready = absl::StrCat(folder_, "/ready");
  auto child = ChildProcess::Start(
      {"/bin/sh", "-c",
       absl::StrCat("trap '' TERM; : > ", ready, "; while :; do wait; done")},
      log());
  ASSERT_TRUE(child.ok()) << child.status();
  ASSERT_TRUE(WaitForFile(ready, *child, absl::Seconds(30)).ok());
  EXPECT_FALSE(child->Wait(absl::ZeroDuration()).ok());
  child->Stop(absl::Milliseconds(10));
  const auto status = child->Wait(absl::ZeroDuration());
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(*status, 128 + 9);
}

TEST_F(ChildProcessTest, EndChildrenWaitsForAllAndLeavesTheirStatuses) {
  const std::string ready = absl::StrCat(folder_, "/ready");
  auto polite = ChildProcess::Start({"/bin/sleep", "600"}, log());
  auto slow =
      ChildProcess::Start({"/bin/sh", "-c",
                           absl::StrCat("trap 'exit 5' TERM; : > ", ready,
                                        "; while :; do sleep 0.01; done")},
                          log());
  ASSERT_TRUE(polite.ok() && slow.ok());
  ASSERT_TRUE(WaitForFile(ready, *slow, absl::Seconds(30)).ok());
  EndChildren(absl::Minutes(1));
  EXPECT_EQ(polite->Wait(absl::ZeroDuration()).value_or(-1), 128 + 15);
  EXPECT_EQ(slow->Wait(absl::ZeroDuration()).value_or(-1), 5);
  EndChildren(absl::Minutes(1));  // there are no children
}

// A parent that waits for signals blocks them in itself.
TEST_F(ChildProcessTest, AChildTakesSignalsThatItsParentBlocks) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  auto child = ChildProcess::Start({"/bin/sleep", "600"}, log());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(child.ok());
  EndChildren(absl::Minutes(1));
  EXPECT_EQ(child->Wait(absl::ZeroDuration()).value_or(-1), 128 + 15);
}

TEST_F(ChildProcessTest, WaitForFileTellsWhyTheWriterEnded) {
  auto child =
      ChildProcess::Start({"/bin/sh", "-c", "echo port in use"}, log());
  ASSERT_TRUE(child.ok()) << child.status();
  const absl::Status status =
      WaitForFile(absl::StrCat(folder_, "/never"), *child, absl::Seconds(30));
  EXPECT_THAT(std::string(status.message()), HasSubstr("port in use"));
}

TEST_F(ChildProcessTest, LastLinesAreTheLast) {
  ASSERT_TRUE(WriteFileAtomically(log(), "a\nb\nc\n").ok());
  EXPECT_EQ(LastLines(log(), 2), "b\nc\n");
  EXPECT_EQ(LastLines(log(), 9), "a\nb\nc\n");
}

}  // namespace
}  // namespace hilum
