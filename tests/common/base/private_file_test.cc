// SPDX-License-Identifier: Apache-2.0
#include "common/base/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

class PrivateFileTest : public testing::Test {
 protected:
  PrivateFileTest()
      : folder_(absl::StrCat(testing::TempDir(), "/private-", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~PrivateFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  mode_t ModeOf(const std::string& name) const {
    struct stat info = {};
    EXPECT_EQ(stat(Path(name).c_str(), &info), 0) << name;
    return info.st_mode & 07777;
  }

  const std::string folder_;
};

TEST_F(PrivateFileTest, FilesAndFoldersMadeLaterAreTheOwners) {
  // The umask belongs to the process, so the test uses a child process.
  const pid_t child = fork();
  if (child == 0) {
    umask(022);
    MakeFilesPrivate();
    const bool made = WriteFileAtomically(Path("file"), "x").ok() &&
                      MakeDirectories(Path("a/b")).ok();
    _exit(made ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(ModeOf("file"), 0600u);
  EXPECT_EQ(ModeOf("a"), 0700u);
  EXPECT_EQ(ModeOf("a/b"), 0700u);
}

TEST_F(PrivateFileTest, AFolderThatWasOpenIsClosed) {
  ASSERT_TRUE(MakePrivateFolder(Path("new/state")).ok());
  EXPECT_EQ(ModeOf("new/state"), 0700u);
  ASSERT_EQ(chmod(Path("new/state").c_str(), 0755), 0);
  ASSERT_TRUE(MakePrivateFolder(Path("new/state")).ok());
  EXPECT_EQ(ModeOf("new/state"), 0700u);
}

TEST_F(PrivateFileTest, ASecretThatOthersReadIsRefused) {
  const std::string path = Path("key");
  EXPECT_TRUE(absl::IsNotFound(CheckPrivateFile(path, "the key")));
  ASSERT_TRUE(WriteFileAtomically(path, "x", Durability::kNone, 0600).ok());
  EXPECT_TRUE(CheckPrivateFile(path, "the key").ok());
  for (mode_t mode : {0640, 0604, 0620, 0601}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    const absl::Status status = CheckPrivateFile(path, "the key");
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << mode;
    EXPECT_TRUE(
        absl::StrContains(status.message(), "the key is open to others"));
    EXPECT_TRUE(absl::StrContains(status.message(),
                                  absl::StrCat("run: chmod 600 ", path)));
  }
}

}  // namespace
}  // namespace hilum
