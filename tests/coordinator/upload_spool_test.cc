// SPDX-License-Identifier: Apache-2.0
#include "coordinator/storage/upload_spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <thread>
#include <vector>

#include "common/crypto/sha256.h"

namespace hilum {
namespace {

class UploadSpoolTest : public testing::Test {
 protected:
  UploadSpoolTest() {
    std::filesystem::remove_all(folder_);
    Restart();
  }

  void Restart() {
    spool_.reset();
    spool_ = *UploadSpool::Open(folder_);
  }

  static std::string Bytes(const std::vector<uint32_t>& words) {
    return std::string(reinterpret_cast<const char*>(words.data()),
                       words.size() * sizeof(uint32_t));
  }

  static UploadSpool::Key KeyOf(const std::string& bytes,
                                const std::string& site = "a",
                                uint32_t round = 1) {
    return {.study_hash = std::string(32, 's'),
            .site = SiteId(site),
            .round = round,
            .sha256 = Sha256Of(bytes),
            .size = bytes.size()};
  }

  int Files() const {
    return static_cast<int>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  const std::string folder_ = testing::TempDir() + "/upload_spool_test";
  std::unique_ptr<UploadSpool> spool_;
};

TEST_F(UploadSpoolTest, ChunksThatOvertakeEachOtherAreStoredInOrder) {
  std::vector<uint32_t> words(64);
  std::iota(words.begin(), words.end(), 0);
  const std::string bytes = Bytes(words);
  const UploadSpool::Key key = KeyOf(bytes);
  std::vector<std::thread> threads;
  for (size_t i = 8; i-- > 0;) {  // the last chunk first
    threads.emplace_back([&, i] {
      auto stored = spool_->Append(key, i * 32, bytes.substr(i * 32, 32));
      ASSERT_TRUE(stored.ok()) << stored.status();
      EXPECT_GE(*stored, (i + 1) * 32);
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto update = spool_->Complete(key);
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_EQ(std::filesystem::file_size(*update), bytes.size());
}

TEST_F(UploadSpoolTest, RestartGoesOnAtItsByteAndStillKnowsTheHash) {
  const std::string bytes = Bytes({1, 0x7fc00000, 3, 4});
  const UploadSpool::Key key = KeyOf(bytes);
  ASSERT_TRUE(spool_->Append(key, 0, bytes.substr(0, 8)).ok());
  Restart();
  EXPECT_EQ(spool_->Complete(key).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(spool_->Append(key, 0, "").value(), 8u);
  EXPECT_EQ(spool_->Append(key, 8, bytes.substr(8)).value(), 16u);
  EXPECT_TRUE(spool_->Complete(key).ok());
  Restart();
  EXPECT_TRUE(spool_->Complete(key).ok());
}

TEST_F(UploadSpoolTest, OtherBytesThanAnnouncedAreDropped) {
  const std::string bytes = Bytes({1, 2});
  const UploadSpool::Key key = KeyOf(bytes);
  EXPECT_EQ(spool_->Append(key, 0, Bytes({1, 3})).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(Files(), 0);
  EXPECT_EQ(spool_->Append(key, 0, bytes).value(), 8u);
}

TEST_F(UploadSpoolTest, MoreThanAnnouncedAndPartsOfWordsAreRefused) {
  const std::string bytes = Bytes({1, 2});
  const UploadSpool::Key key = KeyOf(bytes);
  EXPECT_EQ(spool_->Append(key, 0, Bytes({1, 2, 3})).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(spool_->Append(key, 0, bytes.substr(0, 3)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(UploadSpoolTest, NewUpdateReplacesOnlyItsOwnSitesUnfinishedOne) {
  const std::string old = Bytes({1, 2}), bytes = Bytes({3, 4});
  ASSERT_TRUE(spool_->Append(KeyOf(old), 0, old.substr(0, 4)).ok());
  ASSERT_TRUE(spool_->Append(KeyOf(old, "a-b"), 0, old).ok());
  ASSERT_TRUE(spool_->Append(KeyOf(bytes, "a", 2), 0, bytes).ok());
  EXPECT_EQ(Files(), 2);
  EXPECT_TRUE(spool_->Complete(KeyOf(old, "a-b")).ok());
  // A late deletion for an earlier round with equal bytes spares this round's
  // upload.
  spool_->Remove(KeyOf(bytes, "a", 1));
  EXPECT_TRUE(spool_->Complete(KeyOf(bytes, "a", 2)).ok());
}

TEST_F(UploadSpoolTest, StudysUploadsGoAllAtOnceAndNoOthers) {
  const std::string bytes = Bytes({1, 2, 3, 4});
  UploadSpool::Key other = KeyOf(bytes);
  other.study_hash = std::string(32, 't');
  ASSERT_TRUE(spool_->Append(other, 0, bytes).ok());
  ASSERT_TRUE(spool_->Append(KeyOf(bytes, "a"), 0, bytes).ok());
  Restart();
  ASSERT_TRUE(spool_->Append(KeyOf(bytes, "b"), 0, bytes.substr(0, 8)).ok());
  spool_->RemoveStudy(KeyOf(bytes).study_hash);
  EXPECT_EQ(Files(), 1);
  EXPECT_TRUE(spool_->Complete(other).ok());
  EXPECT_EQ(spool_->Append(KeyOf(bytes, "b"), 0, "").value(), 0u);
}

TEST_F(UploadSpoolTest, KeptUploadsStayWhenTheirSiteBeginsOthers) {
  const std::string kept = Bytes({1, 2}), next = Bytes({3, 4});
  const UploadSpool::Key key = KeyOf(kept);
  ASSERT_TRUE(spool_->Append(key, 0, kept).ok());
  for (bool restarted : {false, true}) {
    if (restarted) Restart();
    spool_->Keep(key.study_hash, {key});
    ASSERT_TRUE(spool_->Append(KeyOf(next, "a", 2), 0, next).ok());
    EXPECT_EQ(spool_->Read(key, 0, 100).value(), kept);
  }
  // Keep names other uploads, so the site's next upload drops this one.
  spool_->Keep(key.study_hash, {KeyOf(next, "a", 2)});
  ASSERT_TRUE(spool_->Append(KeyOf(kept, "a", 3), 0, kept.substr(0, 4)).ok());
  EXPECT_EQ(Files(), 2);
  EXPECT_EQ(spool_->Read(KeyOf(next, "a", 2), 0, 100).value(), next);
}

// Other sites read the upload while its own site is sending the next one.
TEST_F(UploadSpoolTest, ReadingAKeptUploadDropsNoOther) {
  const std::string kept = Bytes({1, 2}), next = Bytes({3, 4});
  const UploadSpool::Key key = KeyOf(kept);
  ASSERT_TRUE(spool_->Append(key, 0, kept).ok());
  spool_->Keep(key.study_hash, {key});
  ASSERT_TRUE(spool_->Append(KeyOf(next, "a", 2), 0, next.substr(0, 4)).ok());
  Restart();
  spool_->Keep(key.study_hash, {key});
  EXPECT_EQ(spool_->Append(KeyOf(next, "a", 2), 4, next.substr(4)).value(), 8u);
  EXPECT_EQ(spool_->Read(key, 0, 100).value(), kept);
  EXPECT_TRUE(spool_->Complete(KeyOf(next, "a", 2)).ok());
  EXPECT_EQ(Files(), 2);
}

TEST_F(UploadSpoolTest, PartsOfAKeptUploadAreReadFromAnyOffset) {
  const std::string bytes = Bytes({1, 2, 3});
  const UploadSpool::Key key = KeyOf(bytes);
  ASSERT_TRUE(spool_->Append(key, 0, bytes).ok());
  spool_->Keep(key.study_hash, {key});
  EXPECT_EQ(spool_->Read(key, 2, 5).value(), bytes.substr(2, 5));
  EXPECT_EQ(spool_->Read(key, 10, 5).value(), bytes.substr(10));
  EXPECT_EQ(spool_->Read(key, 12, 5).value(), "");
  EXPECT_EQ(spool_->Read(key, 13, 5).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(UploadSpoolTest, WhatIsNotKeptOrNotHereIsNotReadAndLeavesNoFile) {
  const std::string bytes = Bytes({1, 2});
  const UploadSpool::Key key = KeyOf(bytes);
  ASSERT_TRUE(spool_->Append(key, 0, bytes).ok());
  EXPECT_EQ(spool_->Read(key, 0, 8).status().code(),
            absl::StatusCode::kNotFound);
  spool_->Keep(key.study_hash, {key, KeyOf(bytes, "b")});
  EXPECT_EQ(spool_->Read(KeyOf(bytes, "b"), 0, 8).status().code(),
            absl::StatusCode::kNotFound);
  spool_->RemoveStudy(key.study_hash);
  EXPECT_EQ(spool_->Read(key, 0, 8).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Files(), 0);
}

}  // namespace
}  // namespace hilum
