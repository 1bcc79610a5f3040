// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/session_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/config/census.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"
#include "tests/site_agent/gateway/ledger_lines.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Expects that the study is refused for good, that the reason is in the ledger,
// and that the site has sent only that it is unable.
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

class SessionRunnerTest : public testing::Test {
 protected:
  static std::string NewFolder(absl::string_view suffix = "") {
    std::string path = absl::StrCat(
        testing::TempDir(), "/runner-",
        testing::UnitTest::GetInstance()->current_test_info()->name(), suffix);
    std::filesystem::remove_all(path);
    return path;
  }

  SiteAtWork site_{NewFolder()};
};

TEST_F(SessionRunnerTest, EachTaskIsAnsweredByItsSubmission) {
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0),
                             site_.MakeTask(v1::Task::TRAIN, 1),
                             site_.MakeTask(v1::Task::EVALUATE, 2)};
  ASSERT_TRUE(site_.Run().ok());
  ASSERT_EQ(site_.coordinator.censuses.size(), 1u);
  const v1::SubmitCensusRequest& census = site_.coordinator.censuses[0];
  EXPECT_EQ(census.arms_size(), 1);
  EXPECT_TRUE(CheckCensusShape(site_.study, census).ok());
  EXPECT_THAT(census.rejected_masks(), ElementsAre(3, 0));
  ASSERT_EQ(site_.coordinator.updates.size(), 1u);
  EXPECT_THAT(site_.coordinator.UploadedExamples(3), ElementsAre(10, 10, 10));
  EXPECT_EQ(site_.coordinator.updates[0].update().size(),
            site_.coordinator.upload.size());
  ASSERT_EQ(site_.coordinator.evaluations.size(), 1u);
  EXPECT_EQ(site_.coordinator.evaluations[0].tracks_size(), 2);
  EXPECT_EQ(site_.trainer.times_prepared, 1);
}

TEST_F(SessionRunnerTest, SecondOneOnTheStateFolderIsRefused) {
  auto first = site_.Start();
  ASSERT_TRUE(first.ok()) << first.status();
  absl::Status second = site_.Start().status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), HasSubstr(site_.state_dir));
  EXPECT_THAT(std::string(second.message()), HasSubstr("another hilum-site"));
  // The officer's commands need no lock.
  EXPECT_TRUE(Approvals::Open(site_.state_dir)->Refuse(site_.hash).ok());
  first->reset();
  EXPECT_TRUE(site_.Start().ok());
}

TEST_F(SessionRunnerTest, UpdateThatDivergedIsWithheldAndItsReasonToo) {
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

TEST_F(SessionRunnerTest, WordsOfTheTrainerForgeNoLineOfTheLog) {
  std::vector<std::string> log;
  site_.on_log = [&](absl::string_view line) { log.emplace_back(line); };
  const std::string forged = "\x1b[2J\n2026-12-01T00:00:00Z study approved";
  site_.trainer.warning = forged + std::string(100000, 'x');
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  ASSERT_TRUE(site_.Run().ok());
  site_.trainer.train = absl::InternalError(forged);
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::TRAIN, 1)};
  ASSERT_TRUE(site_.Run().ok());
  int seen = 0;
  for (const std::string& line : log) {
    seen += absl::StrContains(line, "study approved");
    EXPECT_LE(line.size(), 2000u);
    EXPECT_EQ(line.find_first_of("\x1b\n"), std::string::npos) << line;
  }
  EXPECT_GE(seen, 2);
}

// --- Only an answer to NextTask ends the gateway.

TEST_F(SessionRunnerTest, NoCodeOfTheTrainerOrOfACallEndsTheGateway) {
  v1::Study other = SmallStudy();
  other.set_name("other");
  for (int code = 1; code <= 16; ++code) {
    for (bool by_trainer : {true, false}) {
      const absl::Status status(static_cast<absl::StatusCode>(code), "no");
      SiteAtWork site(NewFolder(absl::StrCat("-", code, by_trainer)));
      const std::string bytes = SerializeStudy(other);
      auto approvals = Approvals::Open(site.state_dir);
      ASSERT_TRUE(approvals->PutOffer(Sha256Of(bytes), bytes).ok());
      ASSERT_TRUE(
          approvals->Approve(Sha256Of(bytes), AcceptEverything(other)).ok());
      (by_trainer ? site.trainer.prepare : site.coordinator.census_answer) =
          status;
      // A call that is tried again succeeds the second time.
      site.on_log = [&](absl::string_view line) {
        if (absl::StrContains(line, "no; trying again")) {
          site.trainer.prepare = site.coordinator.census_answer =
              absl::OkStatus();
        }
      };
      v1::Task task = site.MakeTask(v1::Task::PREPARE, 0);
      site.coordinator.tasks = {task};
      task.mutable_header()->set_study_hash(Sha256Of(bytes));
      site.coordinator.next_task =
          [&, asked = false]() mutable -> std::optional<v1::Task> {
        site.trainer.prepare = site.coordinator.census_answer =
            absl::OkStatus();
        return std::exchange(asked, true) ? std::nullopt
                                          : std::optional<v1::Task>(task);
      };
      EXPECT_TRUE(site.Run().ok()) << status << " " << by_trainer;
      ASSERT_FALSE(site.coordinator.censuses.empty()) << status;
      const v1::SubmitCensusRequest& last = site.coordinator.censuses.back();
      EXPECT_EQ(last.header().study_hash(), Sha256Of(bytes)) << status;
      EXPECT_FALSE(last.unable()) << status;
    }
  }
}

TEST_F(SessionRunnerTest, RoundWhoseModelIsGoneIsNotAnsweredByNothing) {
  v1::Task task = site_.MakeTask(v1::Task::TRAIN, 1);
  task.mutable_global()->set_sha256(std::string(32, 'g'));
  site_.coordinator.tasks = {task};
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_TRUE(site_.coordinator.updates.empty());
  EXPECT_EQ(site_.coordinator.polls.back().approved_studies_size(), 1);
}

TEST_F(SessionRunnerTest, CohortThatIsSmallerThanThisSiteIsAnsweredByNothing) {
  v1::Task small = site_.MakeTask(v1::Task::TRAIN, 2);
  for (uint64_t& cases :
       *small.mutable_census()->mutable_arms(0)->mutable_fold_class_counts()) {
    cases = 4;  // eight in a fold; this site alone trains on ten
  }
  site_.coordinator.tasks = {small};
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_THAT(site_.coordinator.UploadedExamples(3), ElementsAre(0, 0, 0));
}

TEST_F(SessionRunnerTest, CensusOfAnotherShapeIsRefusedBeforeTraining) {
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

TEST_F(SessionRunnerTest, ModelThatIsNotFiniteEndsTheStudy) {
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

TEST_F(SessionRunnerTest, OtherStartingWeightsEndTheStudy) {
  for (v1::Task::Kind kind : {v1::Task::PREPARE, v1::Task::TRAIN}) {
    SiteAtWork site(NewFolder(absl::StrCat("-", kind)));
    site.coordinator.blobs[site.study.initial_weights_sha256()].back() ^= 1;
    site.coordinator.tasks = {site.MakeTask(kind, kind)};
    ASSERT_TRUE(site.Run().ok());
    ExpectStudyRefused(site, "are not those of the approved study");
  }
}

TEST_F(SessionRunnerTest, StartingWeightsThatAreNotFiniteEndTheStudy) {
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

// A site whose cases grow while a study runs keeps the weight of its first
// census: the cohort's total includes that number.
TEST_F(SessionRunnerTest, FirstCensusIsGivenAgainAndBoundsTheWeight) {
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

v1::Study ValidatedStudy() {
  v1::Study study = SmallStudy();
  study.mutable_training()->mutable_validation()->set_share(0.2);
  return study;
}

class ValidatedSessionTest : public SessionRunnerTest {
 protected:
  static std::string Validated() {
    const std::string path = NewFolder() + "-validated";
    std::filesystem::remove_all(path);
    return path;
  }

  SiteAtWork validated_{Validated(), ValidatedStudy()};
};

TEST_F(ValidatedSessionTest, ValidationGoesWithTheUpdateWithinTheCensus) {
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::PREPARE, 0),
                                  validated_.MakeTask(v1::Task::TRAIN, 1)};
  ASSERT_TRUE(validated_.Run().ok());
  // The cohort has 100 cases for each fold's track and 200 for the final one;
  // FakeTrainer trains on 10 of each and tries 4 with a loss of 1.5.
  const uint32_t one = 1u << 24;
  const std::vector<uint32_t> tail = validated_.coordinator.UploadedTail(8);
  for (size_t track = 0; track < 3; ++track) {
    EXPECT_EQ(tail[2 * track], 10u);
    EXPECT_EQ(tail[2 * track + 1], 4u);
  }
  EXPECT_EQ(tail[6], EncodeLoss(30, 30, 400));
  EXPECT_EQ(tail[7], EncodeLoss(18, 12, 400));
  EXPECT_NEAR(tail[7], 0.045 * one, 1);
  // The site has three times as many cases now; its census has 20 of each
  // fold's track, 40 of the final track.
  validated_.trainer.times_cases = 3;
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::PREPARE, 0),
                                  validated_.MakeTask(v1::Task::TRAIN, 2)};
  ASSERT_TRUE(validated_.Run().ok());
  const std::vector<uint32_t> more = validated_.coordinator.UploadedTail(8);
  EXPECT_EQ(more[0], 15u);
  EXPECT_EQ(more[1], 5u);
  EXPECT_EQ(more[4], 29u);
  EXPECT_EQ(more[5], 11u);
  EXPECT_NEAR(more[7], 1.25 * (5 + 5 + 11) / 400 * one, 1);
}

TEST_F(ValidatedSessionTest, ZerosAreOfTheSameLength) {
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::TRAIN, 1)};
  ASSERT_TRUE(validated_.Run().ok());
  const size_t size = validated_.coordinator.upload.size();
  validated_.trainer.diverges = true;
  validated_.coordinator.tasks = {validated_.MakeTask(v1::Task::TRAIN, 2)};
  ASSERT_TRUE(validated_.Run().ok());
  EXPECT_EQ(validated_.coordinator.upload, std::string(size, '\0'));
  EXPECT_EQ(validated_.coordinator.updates[1].update().size(), size);
}

// Expects that only the bit and the kind of the reason have left, and no words.
void ExpectOnlyUnable(const v1::SubmitCensusRequest& sent, const v1::Task& task,
                      v1::UnableReason reason) {
  v1::SubmitCensusRequest want;
  *want.mutable_header() = task.header();
  want.set_unable(true);
  want.set_unable_reason(reason);
  EXPECT_EQ(sent.SerializeAsString(), want.SerializeAsString());
}

TEST_F(SessionRunnerTest, FailedEvaluationIsAnsweredWithoutItsReason) {
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
  // The site goes on with the study.
  EXPECT_EQ(site_.coordinator.polls.back().approved_studies_size(), 1);
}

TEST_F(SessionRunnerTest, FailedPreparationIsToldOnceAndTheStudyGivenUp) {
  site_.trainer.prepare = absl::InvalidArgumentError("row 3: Jane Doe");
  for (v1::Task::Kind kind :
       {v1::Task::PREPARE, v1::Task::TRAIN, v1::Task::EVALUATE}) {
    site_.coordinator = {};
    site_.trainer.times_prepared = 0;
    const v1::Task task = site_.MakeTask(kind, 0);
    site_.coordinator.tasks = {task};
    ASSERT_TRUE(site_.Run().ok());
    ASSERT_EQ(site_.coordinator.censuses.size(), 1u) << kind;
    ExpectOnlyUnable(site_.coordinator.censuses[0], task,
                     v1::UNABLE_REASON_MANIFEST);
    EXPECT_EQ(site_.trainer.times_prepared, 1);
    EXPECT_EQ(site_.coordinator.polls.back().approved_studies_size(), 0);
    EXPECT_EQ(site_.coordinator.polls.back().known_studies_size(), 1);
  }
}

// A stopped site also stops its trainer, whose task then fails.
TEST_F(SessionRunnerTest, StoppedTrainerIsNotTakenForOneThatCannotDoTheStudy) {
  std::string log;
  site_.on_log = [&](absl::string_view line) {
    absl::StrAppend(&log, line, "\n");
  };
  site_.trainer.prepare = absl::CancelledError("stopped");
  for (v1::Task::Kind kind :
       {v1::Task::PREPARE, v1::Task::TRAIN, v1::Task::EVALUATE}) {
    site_.coordinator.tasks = {site_.MakeTask(kind, kind)};
    ASSERT_TRUE(site_.Run().ok());
  }
  EXPECT_TRUE(site_.coordinator.censuses.empty());
  EXPECT_THAT(log, Not(HasSubstr("cannot be worked on")));
  EXPECT_EQ(site_.coordinator.polls.back().approved_studies_size(), 1);
}

TEST_F(SessionRunnerTest, StudyThatEndedMeanwhileIsNotGivenUp) {
  site_.coordinator.census_answer =
      absl::FailedPreconditionError("the study has ended");
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_EQ(site_.coordinator.censuses.size(), 1u);
  EXPECT_EQ(site_.coordinator.polls.back().approved_studies_size(), 1);
}

// Otherwise the difference of two rounds would be the patients who came
// meanwhile.
TEST_F(SessionRunnerTest, CoordinatorDoesNotSayWhenCasesAreReadAgain) {
  site_.coordinator.tasks = {
      site_.MakeTask(v1::Task::PREPARE, 0), site_.MakeTask(v1::Task::TRAIN, 1),
      site_.MakeTask(v1::Task::PREPARE, 0), site_.MakeTask(v1::Task::TRAIN, 2)};
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_EQ(site_.trainer.times_prepared, 1);
  ASSERT_EQ(site_.coordinator.censuses.size(), 2u);
  EXPECT_EQ(site_.coordinator.censuses[0].SerializeAsString(),
            site_.coordinator.censuses[1].SerializeAsString());
  EXPECT_EQ(site_.coordinator.updates.size(), 2u);
}

TEST_F(SessionRunnerTest, FirstModelThatIsNotTheApprovedStartEndsTheStudy) {
  std::string model = StartingModel(site_.study);
  model[40] ^= 1;
  v1::Task task = site_.MakeTask(v1::Task::TRAIN, 1);
  *task.mutable_global() = PutBlob(site_.coordinator.blobs, model);
  site_.coordinator.tasks = {task};
  ASSERT_TRUE(site_.Run().ok());
  ExpectStudyRefused(site_, "not the approved study's starting weights");
  EXPECT_EQ(site_.trainer.times_trained, 0);
}

// The coordinator could end one study to remove the models of another, and then
// name any model.
TEST_F(SessionRunnerTest, EndOfOneStudyKeepsTheModelsOfTheOthers) {
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  ASSERT_TRUE(site_.Run().ok());
  const std::string model = absl::StrCat(
      site_.state_dir, "/blobs/", ToHex(Sha256Of(StartingModel(site_.study))));
  ASSERT_TRUE(FileExists(model));
  v1::Study other = site_.study;
  other.set_name("other");
  const std::string bytes = SerializeStudy(other);
  Approvals approvals = *Approvals::Open(site_.state_dir);
  ASSERT_TRUE(approvals.PutOffer(Sha256Of(bytes), bytes).ok());
  ASSERT_TRUE(approvals.Approve(Sha256Of(bytes), AcceptEverything(other)).ok());
  v1::NextTaskResponse ended;
  ended.mutable_ended()->mutable_header()->set_study_hash(Sha256Of(bytes));
  site_.coordinator.answers = {ended};
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_TRUE(FileExists(model));
}

TEST_F(SessionRunnerTest, OneRunEndsWithTheReasonOfItsFailedPreparation) {
  site_.exit_when_done = true;
  site_.trainer.prepare = absl::InvalidArgumentError("row 3 is bad");
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  EXPECT_EQ(site_.Run().message(), "row 3 is bad");
  EXPECT_EQ(site_.coordinator.censuses.size(), 1u);
}

}  // namespace
}  // namespace hilum
