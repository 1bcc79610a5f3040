// SPDX-License-Identifier: Apache-2.0
#include "common/base/file.h"

#include <filesystem>

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(FileTest, AtomicWriteReplacesContentAndLeavesNoTemporary) {
  std::string folder = testing::TempDir() + "/file_test_atomic";
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(MakeDirectories(folder).ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/a", "first").ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/a", "second").ok());
  EXPECT_EQ(ReadFile(folder + "/a").value(), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(FileTest, FullDiskIsResourceExhaustedAndKeepsTheOldContent) {
  absl::Status status = WriteFileAtomically("/dev/full.d/a", "x");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(ErrnoStatus(ENOSPC, "cannot write", "/x").code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(FileTest, MissingFileNamesThePath) {
  absl::Status status = ReadFile("/nonexistent/file").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/nonexistent/file"), std::string::npos);
}

TEST(FileTest, ReadStopsAtItsLimit) {
  std::string path = testing::TempDir() + "/file_test_limit";
  ASSERT_TRUE(WriteFileAtomically(path, "0123456789").ok());
  EXPECT_EQ(ReadFile(path, 9).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hilum
