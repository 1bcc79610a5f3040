// SPDX-License-Identifier: Apache-2.0
#include "common/base/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class FolderLockTest : public testing::Test {
 protected:
  FolderLockTest() { EXPECT_TRUE(MakeDirectories(folder_).ok()); }
  ~FolderLockTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<FolderLock> Take() {
    return FolderLock::Take(folder_, "hilum-coordinator");
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/folder-lock-", getpid());
};

TEST_F(FolderLockTest, SecondHolderIsRefusedWithTheFoldersName) {
  absl::StatusOr<FolderLock> first = Take();
  ASSERT_TRUE(first.ok()) << first.status();
  absl::Status second = Take().status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), HasSubstr(folder_));
  EXPECT_THAT(std::string(second.message()),
              HasSubstr("another hilum-coordinator"));
}

TEST_F(FolderLockTest, FolderIsFreeAgainWhenItsHolderIsGone) {
  { ASSERT_TRUE(Take().ok()); }
  EXPECT_TRUE(Take().ok());
}

TEST_F(FolderLockTest, KilledHolderLeavesTheFolderFree) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    absl::StatusOr<FolderLock> held = Take();
    const char answer = held.ok() ? 'y' : 'n';
    if (write(ends[1], &answer, 1) == 1) pause();
    _exit(1);
  }
  char answer = 0;
  ASSERT_EQ(read(ends[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(Take().ok());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(Take().ok());
  close(ends[0]);
  close(ends[1]);
}

TEST_F(FolderLockTest, ProgramsStartedMeanwhileDoNotKeepIt) {
  FILE* program = nullptr;
  {
    absl::StatusOr<FolderLock> held = Take();
    ASSERT_TRUE(held.ok());
    program = popen("cat > /dev/null", "w");  // runs until pclose
    ASSERT_NE(program, nullptr);
  }
  EXPECT_TRUE(Take().ok());
  pclose(program);
}

TEST_F(FolderLockTest, MissingFolderIsNamed) {
  absl::Status status = FolderLock::Take("/nonexistent", "x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent"));
}

}  // namespace
}  // namespace hilum
