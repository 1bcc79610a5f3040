// SPDX-License-Identifier: Apache-2.0
#include "common/base/written_path.h"

#include "common/base/file.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(WrittenPathTest, BackslashesAreSlashesWhereNoFileHasThem) {
  EXPECT_EQ(ResolveWrittenPath("/data", "images\\a.png"), "/data/images/a.png");
  EXPECT_EQ(ResolveWrittenPath("/data", "images/a.png"), "/data/images/a.png");
  EXPECT_EQ(ResolveWrittenPath("/data", "/else/a.png"), "/else/a.png");
  const std::string folder = ::testing::TempDir();
  ASSERT_TRUE(
      WriteFileAtomically(folder + "/odd\\name", "x", Durability::kNone).ok());
  EXPECT_EQ(*ReadFile(ResolveWrittenPath(folder, "odd\\name")), "x");
}

// macOS writes an accent behind its letter, others write one character.
TEST(WrittenPathTest, AccentsAreFoundInEitherForm) {
  const std::string folder = ::testing::TempDir();
  const std::string apart = "Mu\xcc\x88ller.png", whole = "R\xc3\xb6ssler.png";
  for (const std::string& name : {apart, whole}) {
    ASSERT_TRUE(
        WriteFileAtomically(folder + "/" + name, "x", Durability::kNone).ok());
  }
  for (const char* written : {"M\xc3\xbcller.png", "Mu\xcc\x88ller.png",
                              "Ro\xcc\x88ssler.png", "R\xc3\xb6ssler.png"}) {
    EXPECT_TRUE(FileExists(ResolveWrittenPath(folder, written))) << written;
  }
  EXPECT_FALSE(FileExists(ResolveWrittenPath(folder, "M\xc3\xb6ller.png")));
}

TEST(WrittenPathTest, DrivesAndServersAreOfWindows) {
  for (const char* path :
       {"C:\\data\\a.png", "d:/a.png", "\\\\pacs\\share\\a"}) {
    EXPECT_TRUE(IsWindowsPath(path)) << path;
  }
  for (const char* path : {"images\\a.png", "a.png", "/c:/a", "c:", ""}) {
    EXPECT_FALSE(IsWindowsPath(path)) << path;
  }
}

}  // namespace
}  // namespace hilum
