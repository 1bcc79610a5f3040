// SPDX-License-Identifier: Apache-2.0
// A site at work on a study with secure aggregation, with an honest coordinator
// whose sums may fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/aggregation/statistics_vector.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/metrics/fingerprint.h"
#include "tests/site_agent/gateway/sums_at_work.h"

namespace hilum {
namespace {

using Step = HonestSum::Step;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Returns num_examples of each track in a sum of updates.
std::vector<uint32_t> ExamplesIn(const std::vector<uint32_t>& sum) {
  const size_t tail = sum.size() - 4;  // behind them lies the arm's loss
  return {sum[tail], sum[tail + 1], sum[tail + 2]};
}

class SumStepsTest : public testing::Test {
 protected:
  // The ledger is handed to auditors.
  void ExpectNoWordsOfTheTrainer() const {
    for (const v1::LedgerEntry& entry : at_work_.Ledger()) {
      EXPECT_THAT(entry.detail(), testing::Not(HasSubstr("Jane Doe")));
    }
    EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
                ElementsAre(HasSubstr("the log has why")));
  }

  SecureSiteAtWork at_work_;
};

TEST_F(SumStepsTest, EachTaskIsAnsweredByTheStepsOfItsSum) {
  at_work_.AskForCensus();
  for (v1::Task::Kind kind :
       {v1::Task::PREPARE, v1::Task::TRAIN, v1::Task::EVALUATE}) {
    at_work_.sums.attempts.push_back(
        {at_work_.MakeTask(kind), static_cast<char>('a' + kind)});
  }
  ASSERT_TRUE(at_work_.site.Run().ok());
  ASSERT_THAT(at_work_.sums.read, SizeIs(3)) << at_work_.log;
  const v1::Study& study = at_work_.site.study;
  // Each peer has the same cases as the site.
  auto census =
      DecodeCensus(study, {SiteId("a"), SiteId("b"), SiteId("c"), SiteId("d")},
                   at_work_.sums.read[0]);
  ASSERT_TRUE(census.ok()) << census.status();
  EXPECT_EQ(census->rows(), 160u);
  EXPECT_THAT(census->arms(0).fold_class_counts(), ElementsAre(40, 40, 40, 40));
  EXPECT_THAT(census->rejected_masks(), ElementsAre(12, 0));
  EXPECT_EQ(FingerprintCases(census->arms(0).fingerprint()), 160u);
  EXPECT_THAT(ExamplesIn(at_work_.sums.read[1]), ElementsAre(10, 10, 10));
  auto evaluation = DecodeEvaluation(study, {80, 80, 0}, {SiteId("a")},
                                     at_work_.sums.read[2]);
  ASSERT_TRUE(evaluation.ok()) << evaluation.status();
  EXPECT_THAT(evaluation->tracks(1).confusion(), ElementsAre(10, 0, 0, 10));
  EXPECT_THAT(at_work_.site.coordinator.steps, SizeIs(15));
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED), IsEmpty());
}

TEST_F(SumStepsTest, UpdateInTheSumIsThatOfAStudyWithoutMasks) {
  at_work_.AskForCensus();
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  v1::Study plain = SmallStudy();
  SiteAtWork other(at_work_.folder + "/plain", plain);
  v1::Task task = other.MakeTask(v1::Task::TRAIN, 1);
  for (uint64_t& cases :
       *task.mutable_census()->mutable_arms(0)->mutable_fold_class_counts()) {
    cases = 40;  // of the four sites together
  }
  other.coordinator.tasks = {task};
  ASSERT_TRUE(other.Run().ok());
  ASSERT_THAT(at_work_.sums.read, SizeIs(1));
  EXPECT_TRUE(at_work_.sums.read[0] == WordsOf(other.coordinator.upload));
  EXPECT_TRUE(at_work_.site.coordinator.upload != other.coordinator.upload);
}

TEST_F(SumStepsTest, CensusThatLeavesHasNoCounts) {
  at_work_.AskForCensus();
  ASSERT_TRUE(at_work_.site.Run().ok());
  ASSERT_THAT(at_work_.site.coordinator.censuses, SizeIs(1));
  const v1::SubmitCensusRequest& sent = at_work_.site.coordinator.censuses[0];
  v1::SubmitCensusRequest want;
  *want.mutable_header() = sent.header();
  want.set_manifest_sha256(sent.manifest_sha256());
  EXPECT_EQ(sent.SerializeAsString(), want.SerializeAsString());
  EXPECT_THAT(sent.manifest_sha256(), SizeIs(32));
}

TEST_F(SumStepsTest, CensusAndEvaluationArePublishedWhereThePolicySaysSo) {
  at_work_.site.policy.set_publish_site_figures(true);
  at_work_.AskForCensus();
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::EVALUATE), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  ASSERT_THAT(at_work_.site.coordinator.censuses, SizeIs(1));
  EXPECT_EQ(at_work_.site.coordinator.censuses[0].arms_size(), 1);
  EXPECT_EQ(at_work_.site.coordinator.censuses[0].rows(), 40u);
  EXPECT_THAT(at_work_.site.coordinator.censuses[0].rejected_masks(),
              ElementsAre(3, 0));
  ASSERT_THAT(at_work_.site.coordinator.evaluations, SizeIs(1));
  EXPECT_EQ(at_work_.site.coordinator.evaluations[0].tracks_size(), 2);
  EXPECT_THAT(at_work_.sums.read, SizeIs(1));
}

TEST_F(SumStepsTest, EvaluationOfTheSiteAloneStaysWithoutThatPolicy) {
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::EVALUATE), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(1));
  EXPECT_THAT(at_work_.site.coordinator.evaluations, IsEmpty());
}

TEST_F(SumStepsTest, SiteWithoutACertificateIsUnable) {
  at_work_.site.credentials = nullptr;
  at_work_.AskForCensus();
  ASSERT_TRUE(at_work_.site.Run().ok());
  ExpectOnlyUnableLeft(at_work_.site.coordinator);
}

// --- Sums that fail without anybody's fault.

TEST_F(SumStepsTest, RoundIsTrainedForOnceHoweverOftenItsSumIsTried) {
  const v1::Task task = at_work_.MakeTask(v1::Task::TRAIN);
  at_work_.sums.attempts = {
      {task, 'x', Step::kConfirm}, {task, 'y', Step::kUnmask}, {task, 'z'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_EQ(at_work_.site.trainer.times_trained, 1);
  ASSERT_THAT(at_work_.sums.read, SizeIs(1));
  EXPECT_THAT(ExamplesIn(at_work_.sums.read[0]), ElementsAre(10, 10, 10));
  // Each attempt has other masks.
  std::set<std::string> uploads;
  for (const auto& said : at_work_.site.coordinator.steps) {
    if (said.has_masked()) uploads.insert(said.masked().sha256());
  }
  EXPECT_THAT(uploads, SizeIs(3));
}

TEST_F(SumStepsTest, SiteThatWasRestartedDoesNotTrainAgain) {
  const v1::Task task = at_work_.MakeTask(v1::Task::TRAIN);
  for (char id : {'x', 'y', 'z'}) {
    at_work_.sums.attempts = {{task, id, Step::kUnmask}};
    ASSERT_TRUE(at_work_.site.Run().ok());
  }
  at_work_.sums.attempts = {{task, 'w'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_EQ(at_work_.site.trainer.times_trained, 1);
  EXPECT_THAT(at_work_.sums.read, SizeIs(1));
}

TEST_F(SumStepsTest, SumThatWentOnWithoutARestartedSiteIsLeft) {
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
  bool stopped = false;
  at_work_.sums.tamper = [&](v1::Task& task) {
    if (!task.secure().has_survivors() || stopped) return;
    stopped = true;
    at_work_.site.coordinator.on_end();
  };
  ASSERT_TRUE(at_work_.site.Run().ok());
  ASSERT_TRUE(stopped);
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("has restarted since")));
  EXPECT_FALSE(at_work_.IsRefused());
}

// A vector of zeros would make the sum one over fewer sites than it says.
TEST_F(SumStepsTest, SiteThatCannotTrainLeavesTheSum) {
  at_work_.site.trainer.train = absl::InternalError("case 7 of Jane Doe");
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, IsEmpty());
  ASSERT_THAT(at_work_.site.coordinator.steps, SizeIs(1));
  EXPECT_TRUE(at_work_.site.coordinator.steps[0].leave());
  EXPECT_THAT(at_work_.site.coordinator.upload, IsEmpty());
  EXPECT_THAT(at_work_.log, HasSubstr("gives nothing to it: case 7"));
  EXPECT_FALSE(at_work_.IsRefused());
  ExpectNoWordsOfTheTrainer();
}

TEST_F(SumStepsTest, SiteThatCannotEvaluateLeavesTheSum) {
  at_work_.site.policy.set_publish_site_figures(true);
  at_work_.site.trainer.evaluate = absl::InternalError("case 7 of Jane Doe");
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::EVALUATE), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, IsEmpty());
  ASSERT_THAT(at_work_.site.coordinator.steps, SizeIs(1));
  EXPECT_TRUE(at_work_.site.coordinator.steps[0].leave());
  EXPECT_THAT(at_work_.site.coordinator.evaluations, IsEmpty());
  EXPECT_FALSE(at_work_.IsRefused());
  EXPECT_THAT(at_work_.log, HasSubstr("to the evaluation: case 7"));
  ExpectNoWordsOfTheTrainer();
}

// A reader of the log sees which step a site has done, and that it waits.
TEST_F(SumStepsTest, TheLogHasALineForEachStepOfASum) {
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  for (const char* step :
       {"round 1: keys given; the sum waits for the other sites",
        "round 1: shares given;", "round 1: masked vector given;",
        "round 1: confirmation of the sites in the sum given;",
        "update is in, as part of a masked sum"}) {
    EXPECT_THAT(at_work_.log, HasSubstr(step));
  }
}

// The file is no longer the vector that this site made of its training.
TEST_F(SumStepsTest, AVectorThatWasChangedInTheSpoolIsNotGiven) {
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
  at_work_.sums.tamper = [&](v1::Task& task) {
    if (!task.secure().has_inbox()) return;
    const std::string path =
        at_work_.site.state_dir + "/spool/" + ToHex(at_work_.site.hash);
    std::string words = ReadFile(path).value();
    words[0] ^= 1;
    ASSERT_TRUE(WriteFileAtomically(path, words, Durability::kNone).ok());
  };
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_EQ(at_work_.VectorsGiven(), 0);
  EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("changed since it was made")));
  EXPECT_FALSE(at_work_.IsRefused());
}

TEST_F(SumStepsTest, LedgerNamesEachStepThatLeft) {
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(
      at_work_.Details(v1::LedgerEntry::SENT, "SubmitSecureStep"),
      ElementsAre("keys", "shares", "masked", "confirmation", "revealed"));
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::RECEIPT, "SubmitSecureStep"),
              SizeIs(5));
  // The ledger has the hash with which the vector itself left.
  std::vector<std::string> uploads;
  for (const v1::LedgerEntry& entry : at_work_.Ledger()) {
    if (entry.method() != "UploadChunk") continue;
    if (entry.kind() == v1::LedgerEntry::SENT) {
      uploads.push_back(entry.sha256());
    }
  }
  EXPECT_THAT(uploads,
              ElementsAre(ToHex(Sha256Of(at_work_.site.coordinator.upload))));
}

}  // namespace
}  // namespace hilum
