// SPDX-License-Identifier: Apache-2.0
// Tests what a site does for each kind of task, and what it gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/session_runner.h"
#include "tests/site_agent/gateway/ledger_lines.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// For good; why is in the ledger, and nothing leaves but that the site is
// unable.
void ExpectStudyRefused(const SiteAtWork& site, const std::string& why) {
  EXPECT_THAT(LedgerDetails(site.state_dir + "/ledger.jsonl",
                            v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr(why)));
  EXPECT_EQ(Approvals::Open(site.state_dir)->Refused().count(site.hash), 1u);
  EXPECT_TRUE(site.coordinator.updates.empty());
  EXPECT_TRUE(site.coordinator.evaluations.empty());
  EXPECT_TRUE(site.coordinator.upload.empty());
  ASSERT_EQ(site.coordinator.censuses.size(), 1u);
  EXPECT_TRUE(site.coordinator.censuses[0].unable());
}

class SiteTasksTest : public testing::Test {
 protected:
  static std::string NewFolder(absl::string_view suffix = "") {
    std::string path = absl::StrCat(
        testing::TempDir(), "/tasks-",
        testing::UnitTest::GetInstance()->current_test_info()->name(), suffix);
    std::filesystem::remove_all(path);
    return path;
  }

  SiteAtWork site_{NewFolder()};
};

v1::Study ValidatedStudy() {
  v1::Study study = SmallStudy();
  study.mutable_training()->mutable_validation()->set_share(0.2);
  return study;
}

TEST_F(SiteTasksTest, UpdateThatDivergedIsWithheldAndItsReasonToo) {
  std::string log;
  site_.on_log = [&](absl::string_view line) {
    absl::StrAppend(&log, line, "\n");
  };
  site_.trainer.diverges = true;
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::TRAIN, 1)};
  ASSERT_TRUE(site_.Run().ok());
  ASSERT_EQ(site_.coordinator.updates.size(), 1u);
  const std::string& upload = site_.coordinator.upload;
  EXPECT_EQ(upload, std::string(upload.size(), '\0'));
  EXPECT_EQ(site_.coordinator.updates[0].update().size(), upload.size());
  EXPECT_THAT(log, HasSubstr("gives nothing to it: the trainer's update of "
                             "track 0 has NaN"));
}

TEST_F(SiteTasksTest, RoundWhoseModelIsGoneIsNotAnsweredByNothing) {
  v1::Task task = site_.MakeTask(v1::Task::TRAIN, 1);
  task.mutable_global()->set_sha256(std::string(32, 'g'));
  site_.coordinator.tasks = {task};
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_TRUE(site_.coordinator.updates.empty());
  EXPECT_EQ(site_.coordinator.polls.back().refused_studies_size(), 1);
}

TEST_F(SiteTasksTest, CohortThatIsSmallerThanThisSiteIsAnsweredByNothing) {
  v1::Task small = site_.MakeTask(v1::Task::TRAIN, 2);
  for (uint64_t& cases :
       *small.mutable_census()->mutable_arms(0)->mutable_fold_class_counts()) {
    cases = 4;  // eight in a fold; this site alone trains on ten
  }
  site_.coordinator.tasks = {small};
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_THAT(site_.coordinator.UploadedExamples(3), ElementsAre(0, 0, 0));
}

TEST_F(SiteTasksTest, CensusOfAnotherShapeIsRefusedBeforeTraining) {
  const std::vector<std::function<void(v1::CensusTotals&)>> changes = {
      [](auto& census) { census.Clear(); },
      [](auto& census) { census.mutable_arms()->RemoveLast(); },
      [](auto& census) { census.mutable_track_sites()->RemoveLast(); },
      [](auto& census) { census.mutable_track_class_sites()->RemoveLast(); },
      [](auto& census) {
        census.mutable_arms(0)->mutable_fold_class_counts()->RemoveLast();
      },
      [](auto& census) {
        census.mutable_arms(0)->mutable_fold_class_patients()->RemoveLast();
      },
      [](auto& census) {
        census.mutable_arms(0)->add_fold_validation_patients(12);
      },
      [](auto& census) { census.add_capped_validation_patients(12); },
      [](auto& census) {
        census.mutable_arms(0)->set_fold_class_counts(0, uint64_t{1} << 63);
      }};
  int n = 0;
  for (const auto& change : changes) {
    SiteAtWork site(NewFolder(absl::StrCat("-", n++)));
    v1::Task task = site.MakeTask(v1::Task::TRAIN, 1);
    change(*task.mutable_census());
    site.coordinator.tasks = {task};
    ASSERT_TRUE(site.Run().ok());
    EXPECT_TRUE(site.coordinator.updates.empty());
    EXPECT_TRUE(site.coordinator.upload.empty());
    EXPECT_EQ(site.trainer.times_trained, 0);
    EXPECT_THAT(LedgerDetails(site.state_dir + "/ledger.jsonl",
                              v1::LedgerEntry::SUM_REFUSED),
                ElementsAre(HasSubstr("the cohort's census")));
  }
}

TEST_F(SiteTasksTest, ModelThatIsNotFiniteEndsTheStudy) {
  std::string model = StartingModel(site_.study);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(model.data() + 40, &nan, sizeof nan);
  for (v1::Task::Kind kind : {v1::Task::TRAIN, v1::Task::EVALUATE}) {
    SiteAtWork site(NewFolder(absl::StrCat("-", kind)));
    v1::Task task = site.MakeTask(kind, kind == v1::Task::TRAIN ? 1 : 11);
    *task.mutable_global() = PutBlob(site.coordinator.blobs, model);
    site.coordinator.tasks = {task};
    ASSERT_TRUE(site.Run().ok());
    ExpectStudyRefused(site, "model of round");
    EXPECT_EQ(site.trainer.times_trained, 0);
  }
}

TEST_F(SiteTasksTest, OtherStartingWeightsEndTheStudy) {
  for (v1::Task::Kind kind : {v1::Task::PREPARE, v1::Task::TRAIN}) {
    SiteAtWork site(NewFolder(absl::StrCat("-", kind)));
    site.coordinator.blobs[site.study.initial_weights_sha256()].back() ^= 1;
    site.coordinator.tasks = {site.MakeTask(kind, kind)};
    ASSERT_TRUE(site.Run().ok());
    ExpectStudyRefused(site, "are not those of the approved study");
  }
}

TEST_F(SiteTasksTest, StartingWeightsThatAreNotFiniteEndTheStudy) {
  std::string weights = StartingWeights();
  const float infinite = std::numeric_limits<float>::infinity();
  std::memcpy(weights.data() + 400, &infinite, sizeof infinite);
  v1::Study study = SmallStudy();
  study.set_initial_weights_sha256(Sha256Of(weights));
  SiteAtWork site(NewFolder("-infinite"), study);
  PutBlob(site.coordinator.blobs, weights);
  site.coordinator.tasks = {site.MakeTask(v1::Task::PREPARE, 0)};
  ASSERT_TRUE(site.Run().ok());
  ExpectStudyRefused(site, "the study's starting weights");
}

TEST_F(SiteTasksTest, FirstModelThatIsNotTheApprovedStartEndsTheStudy) {
  std::string model = StartingModel(site_.study);
  model[40] ^= 1;
  v1::Task task = site_.MakeTask(v1::Task::TRAIN, 1);
  *task.mutable_global() = PutBlob(site_.coordinator.blobs, model);
  site_.coordinator.tasks = {task};
  ASSERT_TRUE(site_.Run().ok());
  ExpectStudyRefused(site_, "not the approved study's starting weights");
  EXPECT_EQ(site_.trainer.times_trained, 0);
}

// A site whose cases grow while a study runs weighs as its census says: the
// cohort's sum is of what it counts with.
TEST_F(SiteTasksTest, FirstCensusIsGivenAgainAndBoundsTheWeight) {
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  ASSERT_TRUE(site_.Run().ok());
  site_.trainer.times_cases = 3;
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0),
                             site_.MakeTask(v1::Task::TRAIN, 1)};
  ASSERT_TRUE(site_.Run().ok());
  ASSERT_EQ(site_.coordinator.censuses.size(), 2u);
  EXPECT_EQ(site_.coordinator.censuses[0].arms(0).SerializeAsString(),
            site_.coordinator.censuses[1].arms(0).SerializeAsString());
  // Trained on 30 in each track; the census has 20 in one fold, 40 in both.
  EXPECT_THAT(site_.coordinator.UploadedExamples(3), ElementsAre(20, 20, 30));
}

TEST_F(SiteTasksTest, FailedEvaluationIsAnsweredWithoutItsReason) {
  site_.trainer.evaluate = absl::InternalError("case 7 of Jane Doe");
  const v1::Task task = site_.MakeTask(v1::Task::EVALUATE, 11);
  site_.coordinator.tasks = {task};
  ASSERT_TRUE(site_.Run().ok());
  ASSERT_EQ(site_.coordinator.evaluations.size(), 1u);
  v1::SubmitEvaluationRequest want;
  *want.mutable_header() = task.header();
  want.set_unable(true);
  EXPECT_EQ(site_.coordinator.evaluations[0].SerializeAsString(),
            want.SerializeAsString());
  // The study goes on here.
  EXPECT_EQ(site_.coordinator.polls.back().approved_studies_size(), 1);
}

class ValidatedTasksTest : public SiteTasksTest {
 protected:
  static std::string Validated() {
    const std::string path = NewFolder() + "-validated";
    std::filesystem::remove_all(path);
    return path;
  }

  SiteAtWork validated_{Validated(), ValidatedStudy()};
};

TEST_F(ValidatedTasksTest, ValidationGoesWithTheUpdateWithinTheCensus) {
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::PREPARE, 0),
                                  validated_.MakeTask(v1::Task::TRAIN, 1)};
  ASSERT_TRUE(validated_.Run().ok());
  // The cohort has 100 cases for each fold's track and 200 for the final one;
  // FakeTrainer trains on 10 of each and tries 4 with a loss of 1.5.
  const std::vector<uint32_t> tail = validated_.coordinator.UploadedTail(10);
  for (size_t track = 0; track < 3; ++track) {
    EXPECT_EQ(tail[3 * track], 10u);
    EXPECT_EQ(tail[3 * track + 1], 4u);
    EXPECT_EQ(tail[3 * track + 2], EncodeLoss(6, 4, track < 2 ? 100 : 200));
  }
  EXPECT_EQ(tail[9], EncodeLoss(30, 30, 400));
  // It has three times as many since; its census has 20 of each fold's track,
  // 40 of the final one's.
  validated_.trainer.times_cases = 3;
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::PREPARE, 0),
                                  validated_.MakeTask(v1::Task::TRAIN, 2)};
  ASSERT_TRUE(validated_.Run().ok());
  const std::vector<uint32_t> more = validated_.coordinator.UploadedTail(10);
  EXPECT_EQ(more[0], 15u);
  EXPECT_EQ(more[1], 5u);
  EXPECT_EQ(more[2], EncodeLoss(1.25 * 5, 5, 100));
  EXPECT_EQ(more[6], 29u);
  EXPECT_EQ(more[7], 11u);
  EXPECT_EQ(more[8], EncodeLoss(1.25 * 11, 11, 200));
}

// The coordinator says which tracks have stopped, without secure aggregation.
TEST_F(ValidatedTasksTest, StoppedTrackIsNeitherTrainedNorTried) {
  v1::Task task = validated_.MakeTask(v1::Task::TRAIN, 3);
  for (uint32_t stopped_after : {0u, 2u, 0u}) {
    v1::TrackChoice& choice = *task.add_choices();
    choice.set_tried(true);
    choice.set_best_round(1);
    choice.set_stopped_after(stopped_after);
  }
  v1::Task evaluate = validated_.MakeTask(v1::Task::EVALUATE, 11);
  *evaluate.mutable_choices() = task.choices();
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::PREPARE, 0),
                                  task, evaluate};
  ASSERT_TRUE(validated_.Run().ok());
  const std::vector<uint32_t> tail = validated_.coordinator.UploadedTail(10);
  EXPECT_EQ(tail[0], 10u);
  for (size_t word : {3, 4, 5}) EXPECT_EQ(tail[word], 0u);
  EXPECT_EQ(tail[6], 10u);
  EXPECT_EQ(tail[7], 4u);
  // The loss of those that are trained, of their cases.
  EXPECT_EQ(tail[9], EncodeLoss(20, 20, 300));
  const std::string& upload = validated_.coordinator.upload;
  const size_t track = (upload.size() - 40) / 3;
  EXPECT_EQ(upload.substr(track, track), std::string(track, '\0'));
  EXPECT_NE(upload.substr(0, track), std::string(track, '\0'));
  ASSERT_EQ(validated_.trainer.choices_seen.size(), 2u);
  for (const std::string& choices : validated_.trainer.choices_seen) {
    EXPECT_EQ(choices, "1,0 1,2 1,0");
  }
}

// Four validation patients in a fold would be told apart by two tracks' losses.
TEST_F(ValidatedTasksTest, NoLossLeavesOfAnArmWithAThinFold) {
  v1::Task task = validated_.MakeTask(v1::Task::TRAIN, 1);
  task.mutable_census()->mutable_arms(0)->set_fold_validation_patients(1, 4);
  task.mutable_census()->set_capped_validation_patients(1, 4);
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::PREPARE, 0),
                                  task};
  ASSERT_TRUE(validated_.Run().ok());
  const std::vector<uint32_t> tail = validated_.coordinator.UploadedTail(10);
  for (size_t track = 0; track < 3; ++track) {
    EXPECT_EQ(tail[3 * track], 10u);
    EXPECT_EQ(tail[3 * track + 1], 0u);
    EXPECT_EQ(tail[3 * track + 2], 0u);
  }
}

TEST_F(ValidatedTasksTest, ZerosAreOfTheSameLength) {
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::TRAIN, 1)};
  ASSERT_TRUE(validated_.Run().ok());
  const size_t size = validated_.coordinator.upload.size();
  validated_.trainer.diverges = true;
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::TRAIN, 2)};
  ASSERT_TRUE(validated_.Run().ok());
  EXPECT_EQ(validated_.coordinator.upload, std::string(size, '\0'));
  EXPECT_EQ(validated_.coordinator.updates[1].update().size(), size);
}

}  // namespace
}  // namespace hilum
