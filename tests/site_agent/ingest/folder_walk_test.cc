// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/folder_walk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

class FolderWalkTest : public testing::Test {
 protected:
  FolderWalkTest()
      : root_(absl::StrCat(testing::TempDir(), "/folder_walk_", getpid())) {
    fs::remove_all(root_);
    fs::create_directories(root_);
    root_ = fs::canonical(root_);
  }
  ~FolderWalkTest() override { fs::remove_all(root_); }

  std::string Put(const std::string& name, const std::string& bytes = "x") {
    const std::string path = absl::StrCat(root_, "/", name);
    fs::create_directories(fs::path(path).parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
    return path;
  }
  FolderWalk Walk(const std::vector<std::string>& skip = {}) const {
    auto walk = WalkFolder(root_, skip);
    EXPECT_TRUE(walk.ok()) << walk.status();
    return walk.value_or(FolderWalk());
  }
  // Paths below the root.
  std::vector<std::string> Files(const FolderWalk& walk) const {
    std::vector<std::string> names;
    for (const FoundFile& file : walk.files) {
      names.push_back(fs::path(file.path).lexically_relative(root_));
    }
    return names;
  }

  std::string root_;
};

using Names = std::vector<std::string>;

TEST_F(FolderWalkTest, FilesComeInTheOrderOfTheirNames) {
  for (const char* name : {"b/2", "a", "c", "b/1", "b/10"}) Put(name);
  const FolderWalk walk = Walk();
  EXPECT_EQ(Files(walk), (Names{"a", "b/1", "b/10", "b/2", "c"}));
  EXPECT_TRUE(walk.problems.empty());
  EXPECT_EQ(walk.files[0].stamp, StampOf(root_ + "/a").value());
}

TEST_F(FolderWalkTest, ALoopOfLinksEndsAndIsSaid) {
  Put("a/file");
  fs::create_directory_symlink(root_, root_ + "/a/loop");
  const FolderWalk walk = Walk();
  EXPECT_EQ(Files(walk), Names{"a/file"});
  ASSERT_EQ(walk.problems.size(), 1u);
  EXPECT_EQ(walk.problems[0].path, root_ + "/a/loop");
  EXPECT_TRUE(absl::StrContains(walk.problems[0].reason, "loop"));
}

TEST_F(FolderWalkTest, ALinkIsFollowedAndWhereItLeadsIsNoted) {
  const std::string outside = root_ + "_outside";
  fs::create_directories(outside);
  ASSERT_TRUE(
      WriteFileAtomically(outside + "/file", "x", Durability::kNone).ok());
  fs::create_directory_symlink(outside, root_ + "/link");
  const FolderWalk walk = Walk();
  EXPECT_EQ(Files(walk), Names{"link/file"});
  EXPECT_EQ(walk.links, Names{outside});
  fs::remove_all(outside);
}

TEST_F(FolderWalkTest, WhatIsNoFileIsAProblemAndNotReadAsOne) {
  fs::create_directories(root_ + "/empty");
  fs::create_symlink(root_ + "/nothing", root_ + "/dead");
  ASSERT_EQ(mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  const FolderWalk walk = Walk();
  EXPECT_TRUE(walk.files.empty());
  ASSERT_EQ(walk.problems.size(), 3u);
  EXPECT_TRUE(absl::StartsWith(walk.problems[0].reason, "cannot be read: "));
  EXPECT_EQ(walk.problems[1].reason, "an empty folder");
  EXPECT_EQ(walk.problems[2].reason, "not a regular file");
}

// The store may lie in the folder that is read.
TEST_F(FolderWalkTest, WhatIsSkippedIsNotThere) {
  Put("store/store.db");
  Put("key");
  Put("film");
  const FolderWalk walk = Walk({root_ + "/store", root_ + "/key"});
  EXPECT_EQ(Files(walk), Names{"film"});
  EXPECT_TRUE(walk.problems.empty());
}

TEST_F(FolderWalkTest, AFolderThatIsNoneIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(WalkFolder(root_ + "/no", {}).status()));
  EXPECT_TRUE(absl::IsNotFound(WalkFolder(Put("file"), {}).status()));
  EXPECT_TRUE(absl::IsNotFound(StampOf(root_ + "/no").status()));
}

TEST_F(FolderWalkTest, AStampTellsAnotherContent) {
  const std::string path = Put("file", "one");
  const FileStamp before = StampOf(path).value();
  EXPECT_EQ(before.size, 3);
  Put("file", "four");
  EXPECT_FALSE(StampOf(path).value() == before);
}

}  // namespace
}  // namespace hilum
