// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/spooled_vector.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/gateway/update_file.h"

namespace hilum {
namespace {

class SpooledVectorTest : public testing::Test {
 protected:
  SpooledVectorTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    task_.set_kind(v1::Task::TRAIN);
    task_.mutable_header()->set_study_hash(std::string(32, 'h'));
    task_.mutable_header()->set_round(3);
    task_.mutable_global()->set_sha256(std::string(32, 'g'));
    task_.mutable_census()->add_track_sites(4);
    task_.mutable_last_opening()->set_sha256(std::string(32, 'o'));
    task_.mutable_secure()->set_sum_id(std::string(32, 'x'));
    task_.mutable_secure()->mutable_advertise_keys();
  }

  void Put() {
    spool_.Clear();
    vector_ = WriteVector(path_, {1, 2, 3}).value();
    ASSERT_TRUE(spool_.Put(task_, vector_).ok());
  }
  // Looks before and after a restart.
  void ExpectFound(const v1::Task& task, bool found) {
    SpooledVector restarted(path_);
    for (SpooledVector* spool : {&spool_, &restarted}) {
      const std::optional<v1::BlobRef> vector = spool->Find(task);
      ASSERT_EQ(vector.has_value(), found) << task.ShortDebugString();
      if (!found) continue;
      EXPECT_EQ(vector->SerializeAsString(), vector_.SerializeAsString());
    }
  }
  void ExpectNotFoundAfterARestart() {
    SpooledVector restarted(path_);
    EXPECT_FALSE(restarted.Find(task_).has_value());
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/spool-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::string path_ = folder_ + "/update";
  v1::Task task_;
  v1::BlobRef vector_;
  SpooledVector spool_{path_};
};

TEST_F(SpooledVectorTest, DigestOfTheMaskedVectorIsKnownUntilItsFileChanges) {
  EXPECT_EQ(spool_.MaskedSha256(), "");
  const v1::BlobRef masked = WriteVector(spool_.masked_path(), {4, 5}).value();
  spool_.NoteMasked(masked);
  EXPECT_EQ(spool_.MaskedSha256(), masked.sha256());
  EXPECT_EQ(SpooledVector(path_).MaskedSha256(), "");  // another process

  // A file of the same size in its place, and a repeated note.
  const std::string other = path_ + ".other";
  ASSERT_TRUE(WriteVector(other, {6, 7}).ok());
  std::filesystem::rename(other, spool_.masked_path());
  EXPECT_EQ(spool_.MaskedSha256(), "");
  spool_.NoteMasked(masked);
  EXPECT_EQ(spool_.MaskedSha256(), "");

  const v1::BlobRef next = WriteVector(spool_.masked_path(), {8, 9}).value();
  spool_.NoteMasked(next);
  EXPECT_EQ(spool_.MaskedSha256(), next.sha256());
  std::filesystem::remove(spool_.masked_path());
  EXPECT_EQ(spool_.MaskedSha256(), "");
  spool_.Clear();
  EXPECT_EQ(spool_.MaskedSha256(), "");
}

TEST_F(SpooledVectorTest, NothingIsFoundWhereNothingWasPut) {
  ExpectFound(task_, false);
}

TEST_F(SpooledVectorTest, TaskFindsItsVectorInWhateverStepOfWhateverSum) {
  Put();
  ExpectFound(task_, true);
  v1::Task step = task_;
  step.mutable_secure()->set_sum_id(std::string(32, 'y'));
  step.mutable_secure()->mutable_survivors()->add_sites("north");
  ExpectFound(step, true);
  step.clear_secure();
  ExpectFound(step, true);
}

TEST_F(SpooledVectorTest, VectorOfAnotherTaskIsNotFound) {
  Put();
  const std::vector<std::function<void(v1::Task&)>> changes = {
      [](v1::Task& task) { task.mutable_header()->set_round(4); },
      [](v1::Task& task) {
        task.mutable_header()->set_study_hash(std::string(32, 'i'));
      },
      [](v1::Task& task) { task.set_kind(v1::Task::EVALUATE); },
      [](v1::Task& task) {
        task.mutable_global()->set_sha256(std::string(32, 'f'));
      },
      [](v1::Task& task) {
        task.mutable_last_opening()->set_sha256(std::string(32, 'f'));
      },
      [](v1::Task& task) {
        task.mutable_census_opening()->set_sha256(std::string(32, 'f'));
      },
      [](v1::Task& task) { task.mutable_census()->set_track_sites(0, 5); }};
  for (const auto& change : changes) {
    v1::Task other = task_;
    change(other);
    ExpectFound(other, false);
  }
  ExpectFound(task_, true);
}

TEST_F(SpooledVectorTest, WhatWasClearedIsNotFound) {
  Put();
  ASSERT_TRUE(WriteVector(spool_.masked_path(), {7}).ok());
  spool_.Clear();
  ExpectFound(task_, false);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(SpooledVectorTest, ChangedVectorIsNotFoundAfterARestart) {
  for (const std::vector<uint32_t>& words :
       {std::vector<uint32_t>{1, 2, 4}, {1, 2}, {1, 2, 3, 0}, {}}) {
    Put();
    ASSERT_TRUE(WriteVector(path_, words).ok());
    ExpectNotFoundAfterARestart();
  }
  Put();
  std::filesystem::remove(path_);
  ExpectNotFoundAfterARestart();
}

// A crash may leave half a note, or other bytes: the vector is made again.
TEST_F(SpooledVectorTest, SpoiltNoteIsOfNoVector) {
  Put();
  const std::string whole = ReadFile(path_ + ".task").value();
  for (const std::string& note :
       {std::string(), whole.substr(0, 10), whole.substr(0, 40),
        std::string(32, 'h') + whole, whole + std::string(5000, 'x')}) {
    ASSERT_TRUE(WriteFileAtomically(path_ + ".task", note).ok());
    ExpectNotFoundAfterARestart();
  }
  ASSERT_TRUE(WriteFileAtomically(path_ + ".task", whole).ok());
  ExpectFound(task_, true);
}

}  // namespace
}  // namespace hilum
