// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/blob_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

class BlobFileTest : public testing::Test {
 protected:
  BlobFileTest() : path_(absl::StrCat(testing::TempDir(), "blob-", getpid())) {
    const std::string bytes("\1\0\0\0\2\0\0\0\0\0\x80\x3f", 12);
    EXPECT_TRUE(WriteFileAtomically(path_, bytes, Durability::kNone).ok());
  }
  ~BlobFileTest() override { std::filesystem::remove(path_); }

  const std::string path_;
};

TEST_F(BlobFileTest, ElementsAreReadFromWhereTheyStand) {
  const auto file = BlobFile::Open(path_, 3);
  ASSERT_TRUE(file.ok()) << file.status();
  std::vector<uint32_t> words(2);
  ASSERT_TRUE(file->Read(0, absl::MakeSpan(words)).ok());
  EXPECT_THAT(words, testing::ElementsAre(1, 2));
  std::vector<float> last(1);
  ASSERT_TRUE(file->Read(2, absl::MakeSpan(last)).ok());
  EXPECT_EQ(last[0], 1);
}

TEST_F(BlobFileTest, FileOfAnotherLengthIsRefusedWithBothLengths) {
  for (int elements : {2, 4}) {
    const absl::Status status = BlobFile::Open(path_, elements).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(),
              absl::StrCat(path_, ": 12 bytes, expected ", 4 * elements));
  }
}

TEST_F(BlobFileTest, FolderAndMissingFileAreRefused) {
  EXPECT_EQ(BlobFile::Open(testing::TempDir(), 1).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(BlobFile::Open(path_ + "-none", 3).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(BlobFileTest, ReadPastTheEndIsAnErrorThatNamesTheFile) {
  const BlobFile file = BlobFile::Open(path_, 3).value();
  std::vector<uint32_t> words(2);
  const absl::Status status = file.Read(2, absl::MakeSpan(words));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(path_));
}

}  // namespace
}  // namespace hilum
