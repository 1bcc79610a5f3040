// SPDX-License-Identifier: Apache-2.0
#include "common/base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest()
      : folder_(absl::StrCat(testing::TempDir(), "mapped-", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~MappedFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& text) {
    const std::string path = folder_ + "/file";
    EXPECT_TRUE(WriteFileAtomically(path, text, Durability::kNone).ok());
    return path;
  }

  const std::string folder_;
};

TEST_F(MappedFileTest, BytesAreTheFilesAndMoveWithTheObject) {
  auto opened = MappedFile::Open(Write("some bytes"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  MappedFile moved = *std::move(opened);
  EXPECT_EQ(moved.bytes(), "some bytes");
  MappedFile other = MappedFile::Open(Write("other")).value();
  other = std::move(moved);
  EXPECT_EQ(other.bytes(), "some bytes");
}

// mmap itself refuses a length of 0.
TEST_F(MappedFileTest, EmptyFileHasNoBytes) {
  const auto opened = MappedFile::Open(Write(""));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->bytes(), "");
}

TEST_F(MappedFileTest, FileThatIsNotThereIsNamed) {
  const absl::Status status = MappedFile::Open(folder_ + "/none").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr(folder_ + "/none"));
}

// An open without O_NONBLOCK would wait for a pipe's writer.
TEST_F(MappedFileTest, FoldersAndPipesAreRefusedAtOnce) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {folder_, pipe}) {
    EXPECT_EQ(MappedFile::Open(path).status().code(),
              absl::StatusCode::kInvalidArgument)
        << path;
  }
}

}  // namespace
}  // namespace hilum
