// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/intake.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

class IntakeTest : public FolderTest {
 protected:
  std::unique_ptr<Intake> Open() {
    auto intake = Intake::Open({.store = options_.store, .actor = "test"},
                               RealClock(), RealSecureRng());
    EXPECT_TRUE(intake.ok()) << intake.status();
    return intake.ok() ? *std::move(intake) : nullptr;
  }
  IntakeFile FileOf(const std::string& path) {
    return {.path = path, .stamp = StampOf(path).value(), .read = {}};
  }
  uintmax_t ShardBytes() const {
    return fs::file_size(absl::StrCat(options_.store, "/shards/0001.shard"));
  }
};

TEST_F(IntakeTest, AStoreHasOneWriter) {
  Put("in/1.dcm", Film(3, "P1").File());
  auto intake =
      Intake::Open({.store = options_.store}, RealClock(), RealSecureRng());
  ASSERT_TRUE(intake.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Ingest()));
}

TEST_F(IntakeTest, QuarantineAndReleaseAreHistory) {
  Put("in/1.dcm", Film(3, "P1").File());
  Put("in/lateral.dcm", Film(5, "P1").Text(0x00185101, "CS", "LL").File());
  options_.labels = Put("labels.csv", "PatientID,label\nP1,normal\n");
  ASSERT_TRUE(Ingest().ok());
  const std::string id = Only();
  auto intake = Intake::Open({.store = options_.store, .actor = "user x"},
                             RealClock(), RealSecureRng());
  ASSERT_TRUE(intake.ok()) << intake.status();
  ASSERT_TRUE((*intake)->Quarantine(id, "rotated").ok());
  ASSERT_TRUE((*intake)->Export().ok());
  EXPECT_TRUE(Cases().empty());
  EXPECT_EQ(Reasons()["1.dcm"], "rotated");
  ASSERT_TRUE((*intake)->Release(id).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition((*intake)->Release(id).status()));
  EXPECT_TRUE(absl::IsNotFound((*intake)->Quarantine("0", "x")));
  auto history = (*intake)->database().HistoryOf(id);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->size(), 3u);
  EXPECT_EQ((*history)[0].actor, "folder");
  EXPECT_EQ((*history)[1].to, "quarantined");
  EXPECT_EQ((*history)[1].reason, "rotated");
  EXPECT_EQ((*history)[2].to, "ready");
  // A person may choose what the file does not say of itself.
  auto source =
      (*intake)->FindSource(absl::StrCat(options_.folder, "/lateral.dcm"));
  ASSERT_TRUE(source.ok() && source->has_value());
  auto taken = (*intake)->Release((*source)->id);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->state, CaseState::kReady);
}

TEST_F(IntakeTest, AFileThatIsTakenIsKnownUntilItChanges) {
  const std::string path = Put("in/1.dcm", Film(3, "P1").File());
  auto intake = Open();
  EXPECT_FALSE(intake->IsKnown(FileOf(path)).value());
  auto outcome = intake->Take(FileOf(path));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->state, CaseState::kUnlabelled);
  EXPECT_TRUE(intake->IsKnown(FileOf(path)).value());
  EXPECT_EQ(intake->CaseOfSop("1.2.3.3").value(), outcome->case_id);
  EXPECT_EQ(intake->CaseOfSop("1.2.3.4").value(), "");
  Put("in/1.dcm", Film(5, "P1").File() + "x");
  EXPECT_FALSE(intake->IsKnown(FileOf(path)).value());
}

// A crash between Record and Commit leaves such a store.
TEST_F(IntakeTest, WhatWasNotCommittedIsCutOffAtTheNextOpen) {
  const std::string one = Put("in/1.dcm", Film(3, "P1").File());
  const std::string two = Put("in/2.dcm", Film(5, "P2").File());
  uintmax_t committed = 0;
  {
    auto intake = Open();
    ASSERT_TRUE(intake->Take(FileOf(one)).ok());
    committed = ShardBytes();
    ASSERT_TRUE(intake->Record(FileOf(two), intake->Read(FileOf(two))).ok());
    EXPECT_GT(ShardBytes(), committed);
  }
  auto intake = Open();
  EXPECT_EQ(ShardBytes(), committed);
  EXPECT_TRUE(intake->IsKnown(FileOf(one)).value());
  EXPECT_FALSE(intake->IsKnown(FileOf(two)).value());
}

TEST_F(IntakeTest, AShardThatLostBytesIsDataLoss) {
  const std::string path = Put("in/1.dcm", Film(3, "P1").File());
  {
    auto intake = Open();
    ASSERT_TRUE(intake->Take(FileOf(path)).ok());
  }
  fs::resize_file(absl::StrCat(options_.store, "/shards/0001.shard"),
                  ShardBytes() - 1);
  EXPECT_TRUE(absl::IsDataLoss(
      Intake::Open({.store = options_.store}, RealClock(), RealSecureRng())
          .status()));
}

}  // namespace
}  // namespace hilum
