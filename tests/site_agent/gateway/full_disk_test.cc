// SPDX-License-Identifier: Apache-2.0
// How a site behaves while its disk is full, and afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/site_at_work.h"
#include "tests/support/tiny_disk.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class SiteOnAFullDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    auto disk = TinyDisk::Mount(24 << 20);
    if (absl::IsPermissionDenied(disk.status())) {
      GTEST_SKIP() << "needs root to mount a small disk: " << disk.status();
    }
    ASSERT_TRUE(disk.ok()) << disk.status();
    disk_ = *std::move(disk);
  }

  std::string Path(const std::string& name) const {
    return absl::StrCat(disk_->path(), "/", name);
  }

  std::unique_ptr<TinyDisk> disk_;
};

TEST_F(SiteOnAFullDiskTest, LedgerKeepsWholeLinesAndItsSequence) {
  auto ledger = Ledger::Open(Path("ledger.jsonl"), RealClock());
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::SENT);
  entry.set_detail(std::string(20000, 'd'));
  ASSERT_TRUE((*ledger)->Append(entry).ok());
  const std::string before = ReadFile(Path("ledger.jsonl")).value();
  ASSERT_TRUE(disk_->Fill(1 << 13).ok());  // room for a part of the line
  EXPECT_EQ((*ledger)->Append(entry).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadFile(Path("ledger.jsonl")).value() == before);
  disk_->Free();
  ASSERT_TRUE((*ledger)->Append(entry).ok());
  const std::string after = ReadFile(Path("ledger.jsonl")).value();
  EXPECT_TRUE(absl::StartsWith(after, before));
  EXPECT_THAT(after.substr(before.size()), HasSubstr("\"sequence\":\"2\""));
  EXPECT_EQ(std::count(after.begin(), after.end(), '\n'), 2);
}

TEST_F(SiteOnAFullDiskTest, DownloadGoesOnAtItsByte) {
  auto cache = BlobCache::Open(Path("blobs"));
  ASSERT_TRUE(cache.ok()) << cache.status();
  const std::string bytes(400000, 'b');
  v1::BlobRef blob;
  blob.set_sha256(Sha256Of(bytes));
  blob.set_size(bytes.size());
  std::vector<uint64_t> offsets;
  auto fetch = [&](uint64_t offset, uint32_t size,
                   v1::FetchBlobResponse& response) {
    offsets.push_back(offset);  // one chunk, so from one thread
    response.set_data(bytes.substr(offset, size));
    response.set_total_size(bytes.size());
    return absl::OkStatus();
  };
  ASSERT_TRUE(disk_->Fill(250000).ok());
  EXPECT_EQ(cache->Get(blob, fetch).status().code(),
            absl::StatusCode::kResourceExhausted);
  disk_->Free();
  offsets.clear();
  auto path = cache->Get(blob, fetch);
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_GE(offsets.front(), 200000u);
  EXPECT_TRUE(ReadFile(*path).value() == bytes);
}

TEST_F(SiteOnAFullDiskTest, StudyGoesOnOnceThereIsRoom) {
  SiteAtWork site(Path("state"));
  site.coordinator.tasks = {site.MakeTask(v1::Task::PREPARE, 0),
                            site.MakeTask(v1::Task::TRAIN, 1)};
  int times_full = 0;
  site.on_log = [&](absl::string_view line) {
    if (!absl::StrContains(line, "No space left")) return;
    ++times_full;
    disk_->Free();
  };
  ASSERT_TRUE(disk_->Fill().ok());
  EXPECT_TRUE(site.Run().ok());
  EXPECT_EQ(times_full, 1);
  EXPECT_EQ(site.coordinator.updates.size(), 1u);
}

TEST_F(SiteOnAFullDiskTest, TrainersFullDiskCostsTheRoundNothing) {
  SiteAtWork site(Path("state"));
  const v1::Task train = site.MakeTask(v1::Task::TRAIN, 1);
  site.coordinator.tasks = {train, train};  // an unanswered task comes again
  site.trainer.train = absl::ResourceExhaustedError("the trainer's disk");
  site.on_log = [&](absl::string_view line) {
    if (absl::StrContains(line, "the trainer's disk")) {
      site.trainer.train = absl::OkStatus();
    }
  };
  EXPECT_TRUE(site.Run().ok());
  ASSERT_EQ(site.coordinator.updates.size(), 1u);
  EXPECT_THAT(site.coordinator.UploadedExamples(3),
              testing::ElementsAre(10, 10, 10));
}

}  // namespace
}  // namespace hilum
