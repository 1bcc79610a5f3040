// SPDX-License-Identifier: Apache-2.0
// The coordinator while its disk is full, and afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "tests/coordinator/fake_site.h"
#include "tests/support/tiny_disk.h"

namespace hilum {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr uint64_t kMegabyte = 1 << 20;

// Returns names of files, sorted.
std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Returns blobs, without the file that a retry is writing now.
std::vector<std::string> BlobsIn(const std::string& folder) {
  std::vector<std::string> names = FilesIn(folder);
  std::erase_if(names, [](const std::string& name) {
    return absl::StrContains(name, ".part");
  });
  return names;
}

class FullDiskTest : public testing::Test {
 protected:
  void MountDisk(uint64_t num_bytes) {
    auto disk = TinyDisk::Mount(num_bytes);
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

class StorageOnAFullDiskTest : public FullDiskTest {
 protected:
  void SetUp() override { MountDisk(2 * kMegabyte); }

  const std::string bytes_ = std::string(kMegabyte, '\7');
};

TEST_F(StorageOnAFullDiskTest, UploadKeepsWhatWasStoredAndGoesOnAtItsByte) {
  auto spool = UploadSpool::Open(Path("uploads"));
  ASSERT_TRUE(spool.ok()) << spool.status();
  const UploadSpool::Key key{.study_hash = std::string(32, 's'),
                             .site = SiteId("a"),
                             .sha256 = Sha256Of(bytes_),
                             .size = bytes_.size()};
  const absl::string_view first(bytes_.data(), 100000);
  const absl::string_view second(bytes_.data() + 100000,
                                 bytes_.size() - 100000);
  ASSERT_EQ((*spool)->Append(key, 0, first).value(), first.size());
  ASSERT_TRUE(disk_->Fill(kMegabyte / 4).ok());
  EXPECT_EQ((*spool)->Append(key, first.size(), second).status().code(),
            absl::StatusCode::kResourceExhausted);
  const auto stored = *std::filesystem::directory_iterator(Path("uploads"));
  EXPECT_EQ(stored.file_size(), first.size());
  EXPECT_EQ((*spool)->Append(key, 0, "").value(), first.size());

  disk_->Free();
  EXPECT_EQ((*spool)->Append(key, first.size(), second).value(), bytes_.size());
  auto update = (*spool)->Complete(key);
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_TRUE(ReadFile(*update).value() == bytes_);
}

TEST_F(StorageOnAFullDiskTest, BlobIsStoredWholeOrNotAtAll) {
  auto blobs = BlobStore::Open(Path("blobs"));
  ASSERT_TRUE(blobs.ok()) << blobs.status();
  ASSERT_TRUE(disk_->Fill(kMegabyte / 4).ok());
  EXPECT_EQ(blobs->Put(bytes_).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(FilesIn(Path("blobs")), IsEmpty());
  disk_->Free();
  auto sha256 = blobs->Put(bytes_);
  ASSERT_TRUE(sha256.ok()) << sha256.status();
  EXPECT_TRUE(ReadFile(blobs->Path(*sha256)).value() == bytes_);
}

TEST_F(StorageOnAFullDiskTest, DatabaseTakesTheRowOnceThereIsRoom) {
  auto storage = Storage::Open(Path("db"));
  ASSERT_TRUE(storage.ok()) << storage.status();
  StoredStudy study{.hash = std::string(32, 'h'),
                    .study = std::string(100000, 's')};
  ASSERT_TRUE(disk_->Fill().ok());
  EXPECT_EQ((*storage)->AddStudy(study).code(),
            absl::StatusCode::kResourceExhausted);
  disk_->Free();
  ASSERT_TRUE((*storage)->AddStudy(study).ok());
  auto all = (*storage)->LoadStudies();
  ASSERT_TRUE(all.ok() && all->size() == 1) << all.status();
  EXPECT_EQ((*all)[0].study, study.study);
}

TEST_F(StorageOnAFullDiskTest,
       DatabaseThatCannotBeOpenedSaysThatTheDiskIsFull) {
  for (const char* state : {"not there yet", "there already"}) {
    ASSERT_TRUE(disk_->Fill().ok());
    absl::Status opened = Storage::Open(Path("db")).status();
    EXPECT_EQ(opened.code(), absl::StatusCode::kResourceExhausted)
        << state << ": " << opened;
    disk_->Free();
    EXPECT_TRUE(Storage::Open(Path("db")).ok()) << state;
  }
}

class CoreOnAFullDiskTest : public FullDiskTest {
 protected:
  void SetUp() override {
    MountDisk(80 * kMegabyte);
    if (disk_ != nullptr) Open();
  }

  void Open() {
    core_.reset();
    auto core = FederationCore::Open(
        {.state_dir = Path("state"),
         .log = [this](absl::string_view line) { Note(line); },
         .retry_after = absl::Milliseconds(5)},
        RealClock());
    ASSERT_TRUE(core.ok()) << core.status();
    core_ = *std::move(core);
  }

  void Note(absl::string_view line) {
    if (absl::StrContains(line, "cannot aggregate") &&
        !could_not_aggregate_.HasBeenNotified()) {
      could_not_aggregate_.Notify();
    }
    if (absl::StrContains(line, ": STOPPED:")) stop_stored_.Notify();
  }

  // Starts a study with the census of sites a and b.
  void StartStudy() {
    hash_ = core_->SubmitStudy(study_, "").value();
    for (FakeSite site : {Site("a"), Site("b")}) {
      ASSERT_TRUE(
          site.SendCensus(layout_.manifest_sha256, site.Next().task()).ok());
    }
  }

  FakeSite Site(const char* name) { return FakeSite(*core_, name, hash_); }

  std::vector<float> Delta(float value) const {
    return std::vector<float>(static_cast<size_t>(layout_.travelling_size) * 3,
                              value);
  }

  const v1::Study study_ = TinyStudy();
  const ParameterLayout layout_ = StudyLayout(study_).value();
  std::string hash_;
  absl::Notification could_not_aggregate_, stop_stored_;
  std::unique_ptr<FederationCore> core_;
};

TEST_F(CoreOnAFullDiskTest, StudyIsSubmittedWholeOrNotAtAll) {
  ASSERT_TRUE(disk_->Fill(4 * kMegabyte).ok());
  EXPECT_EQ(core_->SubmitStudy(study_, "").status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(core_->ListStudies(), IsEmpty());
  EXPECT_THAT(FilesIn(Path("state/blobs")), IsEmpty());
  disk_->Free();
  EXPECT_TRUE(core_->SubmitStudy(study_, "").ok());
}

TEST_F(CoreOnAFullDiskTest, RoundWaitsForRoomAndThenClosesWithTheSameBytes) {
  StartStudy();
  FakeSite a = Site("a"), b = Site("b");
  v1::Task task = a.Next().task();
  ASSERT_TRUE(a.SendUpdate(task, Delta(0.5f)).ok());
  auto update = b.Upload(task, b.Encode(task, Delta(0.25f)));
  ASSERT_TRUE(update.ok()) << update.status();
  // There is room for the database's row, but not for the new global model.
  ASSERT_TRUE(disk_->Fill(kMegabyte).ok());
  ASSERT_TRUE(b.SubmitUpdate(task, *update).ok());
  could_not_aggregate_.WaitForNotification();
  EXPECT_TRUE(a.Next(0).has_none());
  std::vector<float> want = InitialWeights(layout_.architecture, study_.seed());
  EXPECT_THAT(BlobsIn(Path("state/blobs")),
              UnorderedElementsAre(ToHex(task.global().sha256()),
                                   ToHex(Sha256Of(BlobBytes(want)))));

  disk_->Free();
  v1::BlobRef global = a.Next().task().global();
  std::string bytes =
      ReadFile(Path("state/blobs/" + ToHex(global.sha256()))).value();
  EXPECT_EQ(Sha256Of(bytes), global.sha256());
  const auto* values = reinterpret_cast<const float*>(bytes.data());
  for (size_t i = 0; i < want.size(); i += 1000) {
    ASSERT_EQ(values[i], want[i] + 0.375f) << i;
  }
  core_.reset();  // old files are removed in the next round
  EXPECT_THAT(FilesIn(Path("state/uploads")), IsEmpty());
}

TEST_F(CoreOnAFullDiskTest, UpdateThatCannotBeRecordedIsNotAcknowledged) {
  StartStudy();
  FakeSite a = Site("a"), b = Site("b");
  v1::Task task = a.Next().task();
  auto update = a.Upload(task, a.Encode(task, Delta(0.5f)));
  ASSERT_TRUE(update.ok()) << update.status();
  ASSERT_TRUE(disk_->Fill().ok());
  EXPECT_EQ(a.SubmitUpdate(task, *update).code(),
            absl::StatusCode::kResourceExhausted);
  disk_->Free();
  ASSERT_TRUE(a.SubmitUpdate(task, *update).ok());
  ASSERT_TRUE(b.SendUpdate(task, Delta(0.5f)).ok());
  EXPECT_EQ(a.Next().task().header().round(), 2u);
}

TEST_F(CoreOnAFullDiskTest, StopIsStoredOnceThereIsRoom) {
  StartStudy();
  ASSERT_TRUE(disk_->Fill().ok());
  EXPECT_EQ(core_->StopStudy(hash_).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(core_->StatusOf(hash_)->phase(), v1::StudyStatus::STOPPED);
  disk_->Free();
  stop_stored_.WaitForNotification();
  Open();
  EXPECT_EQ(core_->StatusOf(hash_)->phase(), v1::StudyStatus::STOPPED);
}

}  // namespace
}  // namespace hilum
