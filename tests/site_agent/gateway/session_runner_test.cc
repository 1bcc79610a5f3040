// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/session_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/census.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

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

// The bit and the kind of the reason leave, and none of its words.
void ExpectOnlyUnable(const v1::SubmitCensusRequest& sent, const v1::Task& task,
                      v1::UnableReason reason) {
  v1::SubmitCensusRequest want;
  *want.mutable_header() = task.header();
  want.set_unable(true);
  want.set_unable_reason(reason);
  EXPECT_EQ(sent.SerializeAsString(), want.SerializeAsString());
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

// The coordinator could let a site clean up, and then name any model.
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
