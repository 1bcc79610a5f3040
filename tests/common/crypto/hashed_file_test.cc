// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/hashed_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace hilum {
namespace {

class HashedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hashed_file_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path() const { return folder_ + "/file"; }
  bool IsEmpty() const { return std::filesystem::is_empty(folder_); }

  std::string folder_;
};

TEST_F(HashedFileTest, DigestIsOfTheBytesInTheirOrder) {
  for (Durability durability : {Durability::kNone, Durability::kSync}) {
    HashedFile file(Path());
    ASSERT_TRUE(file.Create().ok());
    const std::string behind(700000, 'z');  // more than is read at once
    ASSERT_TRUE(file.Append("abc").ok());
    ASSERT_TRUE(file.Place(6, behind).ok());
    ASSERT_TRUE(file.Append("def").ok());
    ASSERT_TRUE(file.AppendPlaced(behind.size()).ok());
    ASSERT_TRUE(file.Append("end").ok());
    EXPECT_FALSE(FileExists(Path()));
    auto written = file.Commit(durability);
    ASSERT_TRUE(written.ok()) << written.status();
    const std::string bytes = ReadFile(Path()).value();
    EXPECT_TRUE(bytes == "abcdef" + behind + "end");
    EXPECT_EQ(written->num_bytes, bytes.size());
    EXPECT_EQ(written->sha256, Sha256Of(bytes));
    std::filesystem::remove(Path());
  }
}

TEST_F(HashedFileTest, WithoutCommitNothingStays) {
  {
    HashedFile file(Path());
    ASSERT_TRUE(file.Create().ok());
    ASSERT_TRUE(file.Append("abc").ok());
    EXPECT_FALSE(IsEmpty());
  }
  EXPECT_TRUE(IsEmpty());
}

TEST_F(HashedFileTest, BytesThatWereNotPlacedAreMissed) {
  HashedFile file(Path());
  ASSERT_TRUE(file.Create().ok());
  ASSERT_TRUE(file.Append("abc").ok());
  EXPECT_EQ(file.AppendPlaced(1).code(), absl::StatusCode::kDataLoss);
}

TEST_F(HashedFileTest, FolderThatIsNotThereIsNamed) {
  HashedFile file(folder_ + "/none/file");
  const absl::Status status = file.Create();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("none/file"), absl::string_view::npos);
}

}  // namespace
}  // namespace hilum
