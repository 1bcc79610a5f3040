// SPDX-License-Identifier: Apache-2.0
#include "common/model/zip_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::HasSubstr;

std::string Refusal(const std::string& bytes) {
  const auto read = ReadZipDirectory(bytes);
  if (read.ok()) return "";
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(read.status().message());
}

TEST(ZipDirectoryTest, FilesAreFoundByNameWithTheirBytesInPlace) {
  const std::string bytes = Zip({{"a", "first"}, {"b/c", ""}, {"d", "last"}});
  const ZipEntries entries = ReadZipDirectory(bytes).value();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries.at("a").content, "first");
  EXPECT_EQ(entries.at("b/c").content, "");
  EXPECT_EQ(entries.at("d").content, "last");
  EXPECT_GE(entries.at("a").content.data(), bytes.data());
  EXPECT_LT(entries.at("a").content.data(), bytes.data() + bytes.size());
}

TEST(ZipDirectoryTest, OnlyWhatIsNeitherCompressedNorEncryptedIsStored) {
  const std::string bytes = Zip({{"plain", "x"},
                                 {.name = "packed", .method = 8},
                                 {.name = "secret", .flags = 1}});
  const ZipEntries entries = ReadZipDirectory(bytes).value();
  EXPECT_TRUE(entries.at("plain").stored);
  EXPECT_FALSE(entries.at("packed").stored);
  EXPECT_FALSE(entries.at("secret").stored);
}

// A reader that looked at the end alone would find no archive.
TEST(ZipDirectoryTest, CommentMayFollowTheLastRecord) {
  std::string bytes = Zip({{"a", "x"}});
  bytes.replace(bytes.size() - 2, 2, Little(7, 2) + "comment");
  EXPECT_EQ(ReadZipDirectory(bytes)->at("a").content, "x");
}

TEST(ZipDirectoryTest, PlacesOutsideTheArchiveAreRefused) {
  EXPECT_THAT(Refusal(Zip({{.name = "a", .size = 0xfffffff0}})),
              HasSubstr("reach past"));
  EXPECT_THAT(Refusal(Zip({{.name = "a", .header = 0x7fffffff}})),
              HasSubstr("not where the directory says"));
}

TEST(ZipDirectoryTest, FileIsThereOnceAndUnderOneName) {
  EXPECT_THAT(Refusal(Zip({{"a", "x"}, {"a", "y"}})), HasSubstr("twice"));
  EXPECT_THAT(Refusal(Zip({{"a", "x"}, {.name = "a", .header = 0}})),
              testing::AnyOf(HasSubstr("twice"), HasSubstr("overlaps")));
  EXPECT_THAT(Refusal(Zip({{.name = "a", .local_name = "b"}})),
              HasSubstr("another name"));
}

TEST(ZipDirectoryTest, WhatIsNoArchiveIsRefused) {
  const std::string good = Zip({{"a", "x"}});
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(Refusal(good.substr(0, size)), "") << size;
  }
}

}  // namespace
}  // namespace hilum
