// SPDX-License-Identifier: Apache-2.0
// Tests studies with a server optimiser from the first call to the last model.
// The sites follow each sum, and refuse a coordinator whose model or state
// differs from theirs.
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/secure_study.h"

namespace hilum {
namespace {

using Shown = v1::SecureStep;

v1::Study ServedStudy(bool secure) {
  v1::Study study = FourSiteStudy(secure);
  v1::ServerOptimizer& server =
      *study.mutable_aggregation()->mutable_server_optimizer();
  server.set_kind(v1::ServerOptimizer::KIND_ADAMW);
  server.set_learning_rate(0.01);
  server.set_weight_decay(0.1);
  server.set_clip(1);
  server.mutable_schedule()->set_kind(v1::Schedule::KIND_COSINE);
  return study;
}

class ServedCoreTest : public SecureStudyTest {
 protected:
  ServedCoreTest() { MakeStudy = ServedStudy; }
};

TEST_F(ServedCoreTest, StudyEndsAsTheSameStudyWithoutMasks) {
  Start();
  Work(kAll);
  const Ended ended = End();
  EXPECT_EQ(ended.optimizer_sha256.size(), 32u);
  ExpectSame(ended, EndPlain(kEvaluation));
  MakeStudy = FourSiteStudy;
  std::filesystem::remove_all(absl::StrCat(dir_, "/plain-", kEvaluation));
  EXPECT_NE(EndPlain(kEvaluation).global_sha256, ended.global_sha256);
}

TEST_F(ServedCoreTest, RestartsLoseAndDoubleNoStep) {
  Start();
  for (uint32_t round : {1u, 2u}) {
    for (const Shown::ShownCase step :
         {Shown::kAdvertiseKeys, Shown::kSurvivors, Shown::kConfirmations}) {
      Work(kAll, Is(round, step));
      Open();
    }
  }
  Work(kAll);
  ExpectSame(End(), EndPlain(kEvaluation));
}

// A kill while the second round is summed: its files are there, the database is
// that of before.
TEST_F(ServedCoreTest, RoundThatWasNotCommittedIsSummedAgain) {
  Start();
  Work(kAll, Is(2, Shown::kConfirmations));
  core_.reset();
  const std::string state = absl::StrCat(dir_, "/state");
  const std::string kept = absl::StrCat(dir_, "/kept");
  std::filesystem::copy(state, kept, std::filesystem::copy_options::recursive);
  Open();
  Work(kAll, [](const v1::Task& task) {
    return task.header().round() == kEvaluation;
  });
  const StoredStudy once = Stored();
  EXPECT_EQ(once.rounds.size(), 2u);
  std::filesystem::copy(state + "/blobs", kept + "/blobs",
                        std::filesystem::copy_options::recursive |
                            std::filesystem::copy_options::skip_existing);
  std::filesystem::remove_all(state);
  std::filesystem::rename(kept, state);
  Open();
  Work(kAll);
  const StoredStudy again = Stored();
  EXPECT_EQ(ToHex(again.global.sha256()), ToHex(once.global.sha256()));
  EXPECT_EQ(ToHex(again.optimizer.sha256()), ToHex(once.optimizer.sha256()));
}

TEST_F(ServedCoreTest, LostSumKeepsModelAndState) {
  Start();
  Work(kAll, Is(2, Shown::kAdvertiseKeys));
  const StoredStudy before = Stored();
  ASSERT_EQ(before.rounds.size(), 1u);
  Open();
  Work(kAll, Is(2, Shown::kConfirmations));
  Work({"a", "b"}, Is(kEvaluation, Shown::kAdvertiseKeys));
  const StoredStudy after = Stored();
  ASSERT_EQ(after.rounds.size(), 2u);
  EXPECT_EQ(ToHex(after.global.sha256()), ToHex(before.global.sha256()));
  EXPECT_EQ(ToHex(after.optimizer.sha256()), ToHex(before.optimizer.sha256()));
}

}  // namespace
}  // namespace hilum
