// SPDX-License-Identifier: Apache-2.0
#include "common/base/file.h"

#include <filesystem>

#include "gtest/gtest.h"
#include "tests/support/tiny_disk.h"

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
  auto disk = TinyDisk::Mount(1 << 20);
  if (absl::IsPermissionDenied(disk.status())) {
    GTEST_SKIP() << "needs root to mount a small disk: " << disk.status();
  }
  ASSERT_TRUE(disk.ok()) << disk.status();
  const std::string path = (*disk)->path() + "/a";
  const std::string longer(1 << 18, 'x');
  ASSERT_TRUE(WriteFileAtomically(path, "old").ok());
  ASSERT_TRUE((*disk)->Fill(1 << 17).ok());
  EXPECT_EQ(WriteFileAtomically(path, longer).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadFile(path).value(), "old");
  (*disk)->Free();
  EXPECT_EQ(
      std::distance(std::filesystem::directory_iterator((*disk)->path()), {}),
      1);
  EXPECT_TRUE(WriteFileAtomically(path, longer).ok());
  EXPECT_TRUE(ReadFile(path).value() == longer);
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
