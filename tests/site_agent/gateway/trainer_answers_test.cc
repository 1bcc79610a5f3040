// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_answers.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/file.h"
#include "hilum/v1/trainer.pb.h"

namespace hilum {
namespace {

using testing::HasSubstr;

TEST(TrainerAnswersTest, TheTrainerChoosesNoCode) {
  for (int code = 1; code <= 16; ++code) {
    const auto said = static_cast<absl::StatusCode>(code);
    const absl::Status judged = JudgeTrainerStatus(absl::Status(said, "no"));
    const bool stays = said == absl::StatusCode::kUnavailable ||
                       said == absl::StatusCode::kResourceExhausted;
    EXPECT_EQ(judged.code(), stays ? said : absl::StatusCode::kAborted);
    EXPECT_EQ(judged.message(), "no");
  }
  EXPECT_TRUE(JudgeTrainerStatus(absl::OkStatus()).ok());
}

TEST(TrainerAnswersTest, WordsAreBoundedAndPrintable) {
  const absl::Status judged = JudgeTrainerStatus(
      absl::InternalError("\x1b[2J\n" + std::string(100000, 'x')));
  EXPECT_LE(judged.message().size(), kMaxTrainerText);
  EXPECT_THAT(std::string(judged.message()), HasSubstr("\\x1B[2J\\x0A"));
  v1::TrainResponse response;
  for (int i = 0; i < 5000; ++i) {
    response.add_warnings("\n" + std::string(5000, 'x'));
  }
  BoundWarnings(*response.mutable_warnings());
  ASSERT_EQ(response.warnings_size(), kMaxTrainerWarnings + 1);
  EXPECT_LE(response.warnings(0).size(), kMaxTrainerText);
  EXPECT_THAT(response.warnings(0), HasSubstr("\\x0Axxx"));
  EXPECT_EQ(response.warnings(kMaxTrainerWarnings), "4900 further warnings");
}

class TrainersFileTest : public testing::Test {
 protected:
  TrainersFileTest() {
    std::string name = testing::TempDir() + "/trainers-file-XXXXXX";
    folder_ = mkdtemp(name.data());
    from_ = folder_ + "/from";
    to_ = folder_ + "/to";
  }
  ~TrainersFileTest() override { std::filesystem::remove_all(folder_); }

  void ExpectRefused(const std::string& why) const {
    const absl::Status refused = TakeTrainersFile(from_, to_, 1000);
    EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(why));
    EXPECT_FALSE(FileExists(to_));
    EXPECT_FALSE(FileExists(to_ + ".new"));
  }

  std::string folder_, from_, to_;
};

TEST_F(TrainersFileTest, WhatTheTrainerKeepsOpenIsNotWhatIsTaken) {
  ASSERT_TRUE(WriteFileAtomically(from_, "a,b\n").ok());
  const ScopedFd kept(open(from_.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(TakeTrainersFile(from_, to_, 1000).ok());
  ASSERT_TRUE(WriteAt(kept.get(), 0, "forged", "").ok());
  EXPECT_EQ(ReadFile(to_).value(), "a,b\n");
  EXPECT_FALSE(FileExists(from_));
  EXPECT_TRUE(TakeTrainersFile(from_, to_, 1000).ok());  // nothing there
}

TEST_F(TrainersFileTest, WhatIsNoFileIsNotTaken) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/ledger", "x").ok());
  ASSERT_EQ(symlink((folder_ + "/ledger").c_str(), from_.c_str()), 0);
  ExpectRefused("something else than a file");
  unlink(from_.c_str());
  ASSERT_EQ(mkfifo(from_.c_str(), 0600), 0);
  ExpectRefused("something else than a file");
  unlink(from_.c_str());
  ASSERT_EQ(mkdir(from_.c_str(), 0700), 0);
  ExpectRefused("something else than a file");
}

TEST_F(TrainersFileTest, AFileWithoutEndFillsNoDisk) {
  ASSERT_TRUE(WriteFileAtomically(from_, "x").ok());
  ASSERT_EQ(truncate(from_.c_str(), off_t{1} << 40), 0);
  ExpectRefused("more than 1000 bytes");
}

}  // namespace
}  // namespace hilum
