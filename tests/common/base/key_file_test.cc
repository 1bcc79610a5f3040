// SPDX-License-Identifier: Apache-2.0
#include "common/base/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

class KeyFileTest : public testing::Test {
 protected:
  KeyFileTest() { fs::create_directories(folder_); }
  ~KeyFileTest() override { fs::remove_all(folder_); }

  absl::StatusOr<std::string> ReadOrMake() {
    return ReadOrMakeKeyFile(path_, "the key", [](absl::Span<uint8_t> bytes) {
      std::fill(bytes.begin(), bytes.end(), 7);
    });
  }
  void Write(const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(path_, text, Durability::kNone, 0600).ok());
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/key-file-", getpid());
  const std::string path_ = folder_ + "/patient.key";
};

TEST_F(KeyFileTest, AKeyIsMadeOnceForItsOwnerAlone) {
  EXPECT_TRUE(absl::IsNotFound(ReadKeyFile(path_, "the key").status()));
  const auto made = ReadOrMake();
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(*made, std::string(32, '\x07'));
  EXPECT_EQ(fs::status(path_).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  Write(absl::StrCat(std::string(64, 'A'), "\r\n"));
  EXPECT_EQ(*ReadOrMake(), std::string(32, '\xaa'));
}

TEST_F(KeyFileTest, AFileOpenToAnybodyElseIsRefusedWithTheCommandThatMends) {
  Write(std::string(64, '0'));
  for (const fs::perms open :
       {fs::perms::group_read, fs::perms::others_read, fs::perms::others_write,
        fs::perms::group_exec}) {
    fs::permissions(path_, open, fs::perm_options::add);
    const absl::Status status = ReadOrMake().status();
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("run: chmod 600 ", path_)));
    fs::permissions(path_, open, fs::perm_options::remove);
  }
  EXPECT_TRUE(ReadOrMake().ok());
}

TEST_F(KeyFileTest, AnotherContentIsRefusedAndNotShown) {
  for (const std::string& text :
       {std::string(), std::string(63, 'a'), std::string(66, 'a'),
        std::string(64, 'g'), "0x" + std::string(64, 'a')}) {
    Write(text);
    const absl::Status status = ReadOrMake().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(path_), HasSubstr("64 hexadecimal digits"),
                      Not(HasSubstr("aaa"))));
  }
}

}  // namespace
}  // namespace hilum
