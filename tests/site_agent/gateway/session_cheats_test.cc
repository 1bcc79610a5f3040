// SPDX-License-Identifier: Apache-2.0
// A site at work on a study with secure aggregation, with a coordinator that
// cheats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/x25519.h"
#include "tests/site_agent/gateway/sums_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using v1::SecureStep;

class SessionCheatsTest : public testing::Test {
 protected:
  using Change = std::function<void(v1::Task&)>;

  // Shows the site the step `in` of one sum, changed. Expects that the
  // coordinator gets nothing more from the site, and that the reason is in the
  // ledger.
  void ExpectCaught(SecureStep::ShownCase in, const Change& change,
                    const std::string& reason) {
    at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
    at_work_.sums.tamper = [in, change](v1::Task& task) {
      if (task.secure().shown_case() == in) change(task);
    };
    ASSERT_TRUE(at_work_.site.Run().ok());
    EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
                ElementsAre(HasSubstr(reason)));
    ASSERT_THAT(at_work_.site.coordinator.steps, Not(IsEmpty()));
    EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
    EXPECT_FALSE(at_work_.HasRevealed());
    EXPECT_THAT(at_work_.sums.read, IsEmpty());
  }
  // Expects that the site refuses the whole study, too.
  void ExpectStudyOver(SecureStep::ShownCase in, const Change& change,
                       const std::string& reason) {
    ExpectCaught(in, change, reason);
    EXPECT_TRUE(at_work_.IsRefused());
    EXPECT_THAT(at_work_.site.coordinator.censuses, SizeIs(1));  // unable
  }
  // Expects that the site stays in the study: the fault may be nobody's.
  void ExpectSumLeft(SecureStep::ShownCase in, const Change& change,
                     const std::string& reason) {
    ExpectCaught(in, change, reason);
    EXPECT_FALSE(at_work_.IsRefused());
    EXPECT_THAT(at_work_.site.coordinator.censuses, IsEmpty());
  }

  SecureSiteAtWork at_work_;
};

v1::Roster& RosterOf(v1::Task& task) {
  return *task.mutable_secure()->mutable_roster();
}
v1::Survivors& SurvivorsOf(v1::Task& task) {
  return *task.mutable_secure()->mutable_survivors();
}
v1::Confirmations& ConfirmationsOf(v1::Task& task) {
  return *task.mutable_secure()->mutable_confirmations();
}

TEST_F(SessionCheatsTest, SwappedKeyInTheRosterEndsTheStudy) {
  ExpectStudyOver(
      SecureStep::kRoster,
      [](v1::Task& task) {
        RosterOf(task).mutable_entries(1)->mutable_keys()->set_mask_key(
            X25519KeyPair::Generate(RealSecureRng()).public_key());
      },
      "has keys that b did not sign");
}

TEST_F(SessionCheatsTest, StrangerInTheRosterEndsTheStudy) {
  ExpectStudyOver(
      SecureStep::kRoster,
      [](v1::Task& task) { RosterOf(task).mutable_entries(3)->set_site("z"); },
      "names z, which is not of the study");
}

TEST_F(SessionCheatsTest, FewSitesInTheRosterEndTheStudy) {
  ExpectStudyOver(
      SecureStep::kRoster,
      [](v1::Task& task) {
        RosterOf(task).mutable_entries()->DeleteSubrange(2, 2);
      },
      "has 2 sites, of at least 3");
}

TEST_F(SessionCheatsTest, FewSharesEndTheStudy) {
  ExpectStudyOver(
      SecureStep::kInbox,
      [](v1::Task& task) {
        task.mutable_secure()
            ->mutable_inbox()
            ->mutable_shares()
            ->DeleteSubrange(0, 2);
      },
      "only 2 sites have shared, of at least 3");
  EXPECT_THAT(at_work_.site.coordinator.upload, IsEmpty());
}

TEST_F(SessionCheatsTest, SurvivorsWithoutThisSiteEndTheStudy) {
  ExpectStudyOver(
      SecureStep::kSurvivors,
      [](v1::Task& task) {
        SurvivorsOf(task).mutable_sites()->DeleteSubrange(0, 1);
      },
      "leave out this site");
}

TEST_F(SessionCheatsTest, FewSurvivorsEndTheStudy) {
  ExpectStudyOver(
      SecureStep::kSurvivors,
      [](v1::Task& task) {
        SurvivorsOf(task).mutable_sites()->DeleteSubrange(2, 2);
      },
      "a sum of 2 sites is asked for, of at least 3");
}

TEST_F(SessionCheatsTest, OtherSurvivorsAfterTheFirstEndTheStudy) {
  ExpectStudyOver(
      SecureStep::kConfirmations,
      [](v1::Task& task) {
        for (const char* site : {"a", "b", "c"}) {
          SurvivorsOf(task).add_sites(site);
        }
      },
      "twice, with differences");
}

TEST_F(SessionCheatsTest, ConfirmationOfAnotherListEndsTheStudy) {
  ExpectStudyOver(
      SecureStep::kConfirmations,
      [](v1::Task& task) {
        auto& entries = *ConfirmationsOf(task).mutable_entries();
        entries[1].set_signature(entries[2].signature());
      },
      "b has not confirmed the survivors");
}

TEST_F(SessionCheatsTest, FewConfirmationsEndTheStudy) {
  ExpectStudyOver(
      SecureStep::kConfirmations,
      [](v1::Task& task) {
        ConfirmationsOf(task).mutable_entries()->DeleteSubrange(2, 2);
      },
      "only 2 sites have confirmed, of at least 3");
}

// Shares noted under another round would leave the sum's own round open.
TEST_F(SessionCheatsTest, SharesAskedForInAnotherRoundEndTheStudy) {
  ExpectStudyOver(
      SecureStep::kConfirmations,
      [](v1::Task& task) { task.mutable_header()->set_round(2); },
      "in round 2 of study");
}

TEST_F(SessionCheatsTest, MalformedSurvivorsCostTheSum) {
  ExpectSumLeft(
      SecureStep::kSurvivors,
      [](v1::Task& task) {
        SurvivorsOf(task).mutable_sites()->SwapElements(0, 1);
      },
      "not sorted");
}

TEST_F(SessionCheatsTest, StepOfASumThatNeverBeganCostsTheSum) {
  ExpectSumLeft(
      SecureStep::kSurvivors,
      [](v1::Task& task) {
        task.mutable_secure()->set_sum_id(std::string(32, 'z'));
      },
      "no keys of the sum");
}

TEST_F(SessionCheatsTest, VectorOfAnotherTaskIsNotMasked) {
  ExpectSumLeft(
      SecureStep::kInbox,
      [](v1::Task& task) {
        task.mutable_global()->set_sha256(std::string(32, 'g'));
      },
      "no longer has its vector for the sum");
  EXPECT_THAT(at_work_.site.coordinator.upload, IsEmpty());
}

TEST_F(SessionCheatsTest, StepWithoutASumIsRefusedAndTheSiteGoesOn) {
  v1::Task task = at_work_.sums.Filled(at_work_.MakeTask(v1::Task::TRAIN));
  task.mutable_secure()->mutable_advertise_keys();
  at_work_.site.coordinator.tasks = {task};
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("an id of 0 bytes")));
  EXPECT_THAT(at_work_.sums.read, SizeIs(1));
}

TEST_F(SessionCheatsTest, RoundThatWasUnmaskedIsNotSummedAgain) {
  const v1::Task task = at_work_.MakeTask(v1::Task::TRAIN);
  at_work_.sums.attempts = {{task, 'x'}, {task, 'y'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
  at_work_.sums.attempts = {{task, 'z'}};  // after a restart
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
  EXPECT_THAT(at_work_.sums.read, SizeIs(1));
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("has revealed shares in round 1"),
                          HasSubstr("has revealed shares in round 1")));
  // It may be bad luck, so the site gives to the next round.
  EXPECT_FALSE(at_work_.IsRefused());
  v1::Task next = task;
  next.mutable_header()->set_round(2);
  at_work_.sums.attempts = {{next, 'n'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(2));
  // The round before still gets no answer, and is not trained for.
  at_work_.sums.attempts = {{task, 'w'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(2));
  EXPECT_EQ(at_work_.site.trainer.times_trained, 2);
}

TEST_F(SessionCheatsTest, IdOfASumIsNotTakenForAnotherRound) {
  v1::Task task = at_work_.MakeTask(v1::Task::TRAIN);
  v1::Task next = task;
  next.mutable_header()->set_round(2);
  at_work_.sums.attempts = {{task, 'x'}, {next, 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(1));
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("for a sum of round 1")));
  EXPECT_TRUE(at_work_.IsRefused());
}

TEST_F(SessionCheatsTest, IdOfASumIsNotTakenForAnotherRoundAfterARestart) {
  v1::Task task = at_work_.MakeTask(v1::Task::TRAIN);
  at_work_.sums.attempts = {{task, 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  task.mutable_header()->set_round(2);
  at_work_.sums.attempts = {{task, 'x'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(1));
  EXPECT_TRUE(at_work_.IsRefused());
}

TEST_F(SessionCheatsTest, RefusedStudyIsNotWorkedOnAfterARestart) {
  ExpectStudyOver(
      SecureStep::kSurvivors,
      [](v1::Task& task) { SurvivorsOf(task).clear_sites(); },
      "leave out this site");
  const size_t steps = at_work_.site.coordinator.steps.size();
  at_work_.sums.tamper = [](v1::Task&) {};
  at_work_.sums.attempts = {{at_work_.MakeTask(v1::Task::TRAIN), 'y'}};
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.site.coordinator.steps, SizeIs(steps));
}

TEST(SessionCheatsTasksTest, TaskInTheClearOfASecureStudyEndsTheStudy) {
  for (v1::Task::Kind kind : {v1::Task::TRAIN, v1::Task::EVALUATE}) {
    SecureSiteAtWork at_work(v1::Task::Kind_Name(kind));
    at_work.site.coordinator.tasks = {at_work.MakeTask(kind)};
    ASSERT_TRUE(at_work.site.Run().ok());
    ExpectOnlyUnableLeft(at_work.site.coordinator);
    EXPECT_EQ(at_work.site.trainer.times_trained, 0);
    EXPECT_THAT(at_work.Details(v1::LedgerEntry::SUM_REFUSED),
                ElementsAre(HasSubstr("asks for this site's own figures")));
    EXPECT_TRUE(at_work.IsRefused());
    const v1::NextTaskRequest& poll = at_work.site.coordinator.polls.back();
    EXPECT_EQ(poll.approved_studies_size(), 0);
    EXPECT_EQ(poll.refused_studies_size(), 1);
  }
}

TEST(SessionCheatsTasksTest, SumOfAStudyWithoutThemIsRefused) {
  SecureSiteAtWork secure;
  SiteAtWork site(secure.folder + "/plain");
  site.credentials = secure.site.credentials;
  v1::Task task = site.MakeTask(v1::Task::TRAIN, 1);
  task.mutable_secure()->set_sum_id(std::string(32, 'x'));
  task.mutable_secure()->mutable_advertise_keys();
  site.coordinator.tasks = {task};
  ASSERT_TRUE(site.Run().ok());
  ExpectOnlyUnableLeft(site.coordinator);
  EXPECT_EQ(site.trainer.times_trained, 0);
}

// Two sums of the same vector over different sites reveal single vectors.
TEST(SessionCheatsTasksTest, SumInARoundOfAnotherKindEndsTheStudy) {
  struct Asked {
    v1::Task::Kind kind;
    uint32_t round;
  };
  const uint32_t rounds = SecureSiteAtWork().site.study.training().rounds();
  for (const Asked& asked : std::vector<Asked>{{v1::Task::PREPARE, 1},
                                               {v1::Task::TRAIN, 0},
                                               {v1::Task::TRAIN, rounds + 1},
                                               {v1::Task::EVALUATE, 0},
                                               {v1::Task::EVALUATE, rounds}}) {
    SecureSiteAtWork at_work(absl::StrCat(asked.kind, "-", asked.round));
    v1::Task task = at_work.MakeTask(asked.kind);
    task.mutable_header()->set_round(asked.round);
    at_work.sums.attempts = {{task, 'x'}};
    ASSERT_TRUE(at_work.site.Run().ok());
    ExpectOnlyUnableLeft(at_work.site.coordinator);
    EXPECT_THAT(at_work.Details(v1::LedgerEntry::SUM_REFUSED),
                ElementsAre(HasSubstr("is not one of its rounds")));
    EXPECT_TRUE(at_work.IsRefused());
  }
}

}  // namespace
}  // namespace hilum
