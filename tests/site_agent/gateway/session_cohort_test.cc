// SPDX-License-Identifier: Apache-2.0
// A site at work on a study with secure aggregation, with a cohort or peers
// that its policy does not accept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/types/span.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/sums_at_work.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Cells of two classes and two folds: fold 1 sick, fold 1 well, fold 2 sick,
// ...
void SetCases(v1::ArmCensus& arm, int cell, uint64_t cases) {
  arm.set_fold_class_counts(cell, cases);
  FillFingerprint(arm);
}

void AddCensusAndTraining(SecureSiteAtWork& at_work) {
  at_work.AskForCensus();
  at_work.sums.attempts = {{at_work.MakeTask(v1::Task::PREPARE), 'c'},
                           {at_work.MakeTask(v1::Task::TRAIN), 't'}};
}

class SessionCohortTest : public testing::Test {
 protected:
  void ExpectCohortRefused(const std::string& rule) {
    AddCensusAndTraining(at_work_);
    ASSERT_TRUE(at_work_.site.Run().ok());
    EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
                ElementsAre(HasSubstr(rule)));
    EXPECT_TRUE(at_work_.IsRefused());
    EXPECT_EQ(at_work_.site.trainer.times_trained, 0);
    EXPECT_EQ(at_work_.VectorsGiven(), 1);  // its census
  }
  // Sets the cases that each peer has in one cell.
  void PeersHave(int cell, uint64_t cases) {
    at_work_.sums.change_census =
        [cell, cases](const SiteId&, v1::SubmitCensusRequest& census) {
          SetCases(*census.mutable_arms(0), cell, cases);
        };
  }
  void SiteHas(int cell, uint64_t cases) {
    at_work_.site.trainer.change_arm = [cell, cases](v1::ArmCensus& arm) {
      SetCases(arm, cell, cases);
    };
  }

  SecureSiteAtWork at_work_;
};

TEST_F(SessionCohortTest, CellOfNinePatientsEndsTheStudy) {
  SiteHas(1, 3);
  PeersHave(1, 2);
  ExpectCohortRefused("too few patients in a cell: 9 of class well in fold 1");
}

// One of the four may be missing, and three patients with it.
TEST_F(SessionCohortTest, CellThatAMissingSiteMakesThinEndsTheStudy) {
  SiteHas(1, 4);
  PeersHave(1, 4);
  ExpectCohortRefused("may be without 1 site of the cohort");
}

TEST_F(SessionCohortTest, CellOfTenPatientsIsAcceptedWhereAllSitesAreNeeded) {
  v1::Study study = StudyOfFour();
  study.mutable_aggregation()->set_minimum_sites(4);
  SecureSiteAtWork at_work("all", study);
  at_work.site.trainer.change_arm = [](v1::ArmCensus& arm) {
    SetCases(arm, 1, 4);
  };
  at_work.sums.change_census = [](const SiteId&,
                                  v1::SubmitCensusRequest& census) {
    SetCases(*census.mutable_arms(0), 1, 2);
  };
  AddCensusAndTraining(at_work);
  ASSERT_TRUE(at_work.site.Run().ok());
  EXPECT_THAT(at_work.sums.read, SizeIs(2)) << at_work.log;
}

TEST_F(SessionCohortTest, CellOfTwentyPatientsIsAccepted) {
  SiteHas(1, 5);
  PeersHave(1, 5);
  AddCensusAndTraining(at_work_);
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(2)) << at_work_.log;
}

TEST_F(SessionCohortTest, LargerShareThanThePolicyAllowsEndsTheStudy) {
  at_work_.site.policy.set_largest_share(0.2);
  ExpectCohortRefused("this site has 25 % of the cohort's cases for track");
}

TEST_F(SessionCohortTest, ShareWithinThePolicyIsAccepted) {
  at_work_.site.policy.set_largest_share(0.25);
  AddCensusAndTraining(at_work_);
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(2)) << at_work_.log;
}

TEST_F(SessionCohortTest, TrackOfTwoSitesIsLeftOutOfUpdateAndEvaluation) {
  // Only this site and d have cases in fold 2, on which the first track trains.
  at_work_.sums.change_census = [](const SiteId& site,
                                   v1::SubmitCensusRequest& census) {
    if (site == SiteId("d")) return;
    SetCases(*census.mutable_arms(0), 2, 0);
    SetCases(*census.mutable_arms(0), 3, 0);
  };
  AddCensusAndTraining(at_work_);
  at_work_.sums.attempts.push_back(
      {at_work_.MakeTask(v1::Task::EVALUATE), 'e'});
  ASSERT_TRUE(at_work_.site.Run().ok());
  ASSERT_THAT(at_work_.sums.read, SizeIs(3)) << at_work_.log;
  const VectorLayout layout = LayoutOf(at_work_.site.study);
  const absl::Span<const uint32_t> update = at_work_.sums.read[1];
  const auto track = static_cast<size_t>(layout.track_size);
  EXPECT_THAT(update.subspan(0, track), Each(0u));
  EXPECT_THAT(update.subspan(track, track), Not(Each(0u)));
  EXPECT_THAT(update.subspan(static_cast<size_t>(layout.tail()), 3),
              ElementsAre(0, 10, 10));
  // The track is not evaluated either: its confusion matrix comes first.
  const absl::Span<const uint32_t> figures = at_work_.sums.read[2];
  const size_t half = figures.size() / 2;
  EXPECT_THAT(figures.subspan(0, half), Each(0u));
  EXPECT_EQ(figures[half], 10u);
}

// Without the site with most of them, a fold has three validation patients.
TEST_F(SessionCohortTest, ArmWithAThinFoldSendsNoValidationAndSaysSo) {
  v1::Study study = StudyOfFour();
  study.mutable_training()->mutable_validation()->set_share(0.2);
  for (uint64_t patients : {1, 4}) {
    SecureSiteAtWork at_work(absl::StrCat("of-", patients), study);
    at_work.sums.change_census = [patients](const SiteId&,
                                            v1::SubmitCensusRequest& census) {
      census.mutable_arms(0)->set_fold_validation_patients(1, patients);
    };
    AddCensusAndTraining(at_work);
    ASSERT_TRUE(at_work.site.Run().ok());
    ASSERT_THAT(at_work.sums.read, SizeIs(2)) << at_work.log;
    const VectorLayout layout = LayoutOf(study);
    // Each track has examples, validation examples and their loss.
    const auto tail = absl::MakeConstSpan(at_work.sums.read[1])
                          .subspan(static_cast<size_t>(layout.tail()));
    const bool validated = patients == 4;  // 10 + 3 * 4, less ten
    for (size_t track = 0; track < 3; ++track) {
      EXPECT_EQ(tail[3 * track], 10u);
      EXPECT_EQ(tail[3 * track + 1], validated ? 4u : 0u);
      EXPECT_EQ(tail[3 * track + 2] > 0, validated);
    }
    const std::string said =
        "validation: no track of arm whole is validated: the cohort has too "
        "few validation patients in fold 2 (13; 10 must be left";
    EXPECT_EQ(at_work.log.find(said) != std::string::npos, !validated)
        << at_work.log;
  }
}

// The other sites count on this site to hide them in the track's sum.
TEST_F(SessionCohortTest, SiteThatCannotTrainATrackLeavesTheSum) {
  at_work_.site.trainer.change_update = [](v1::TrainResponse& trained) {
    trained.mutable_tracks(1)->clear_num_examples();
    trained.mutable_tracks(1)->clear_loss_sum();
  };
  AddCensusAndTraining(at_work_);
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("gives nothing to it; the log has why")));
  EXPECT_THAT(at_work_.log, HasSubstr("could not be trained"));
  EXPECT_EQ(at_work_.VectorsGiven(), 1);  // its census
  EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
}

TEST_F(SessionCohortTest, NoTrackOfThreeSitesEndsTheStudy) {
  at_work_.sums.change_census = [](const SiteId& site,
                                   v1::SubmitCensusRequest& census) {
    if (site == SiteId("d")) return;
    for (int cell = 0; cell < 4; ++cell) {
      SetCases(*census.mutable_arms(0), cell, 0);
    }
  };
  ExpectCohortRefused("no track has cases at three sites or more");
}

// --- Keys that the study pins, and hospitals that the site knows.

// Returns a study that pins the keys of all four sites, and another key for c.
v1::Study StudyWithAnotherKeyOfC() {
  v1::Study study = StudyOfFour(true);
  study.set_site_keys(2, Sha256Of("the key of c"));
  return study;
}

TEST(SessionPeersTest, OtherKeyThanPinnedInTheRosterEndsTheStudy) {
  SecureSiteAtWork at_work("", StudyWithAnotherKeyOfC());
  at_work.AskForCensus();
  at_work.sums.attempts = {{at_work.MakeTask(v1::Task::PREPARE), 'c'}};
  ASSERT_TRUE(at_work.site.Run().ok());
  EXPECT_THAT(at_work.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("site c shows the key")));
  EXPECT_TRUE(at_work.IsRefused());
  EXPECT_EQ(at_work.VectorsGiven(), 0);
}

TEST(SessionPeersTest, OtherKeyThanPinnedInAnOpeningEndsTheStudy) {
  SecureSiteAtWork at_work("", StudyWithAnotherKeyOfC());
  at_work.sums.attempts = {{at_work.MakeTask(v1::Task::TRAIN), 't'}};
  ASSERT_TRUE(at_work.site.Run().ok());
  EXPECT_THAT(at_work.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("site c shows the key")));
  EXPECT_TRUE(at_work.IsRefused());
  ASSERT_THAT(at_work.site.coordinator.steps, SizeIs(1));
  EXPECT_TRUE(at_work.site.coordinator.steps[0].leave());
}

v1::Policy Trusting(const std::vector<std::string>& sites) {
  v1::Policy policy;
  for (const std::string& site : sites) {
    v1::TrustedPeer& peer = *policy.add_trusted_peers();
    peer.set_site(site);
    peer.set_key(ToHex(KeyDigest(CredentialsOf(SiteId(site)).certificate_pem)));
  }
  return policy;
}

TEST(SessionPeersTest, SumWithTooFewTrustedSurvivorsIsLeft) {
  SecureSiteAtWork at_work("", StudyOfFour(true));
  at_work.site.policy = Trusting({"b", "c"});
  at_work.sums.attempts = {{.task = at_work.MakeTask(v1::Task::TRAIN),
                            .id = 't',
                            .lost_peers = {SiteId("b")}}};
  ASSERT_TRUE(at_work.site.Run().ok());
  EXPECT_THAT(at_work.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("1 of 2 other sites are in")));
  EXPECT_FALSE(at_work.IsRefused());
  EXPECT_FALSE(at_work.HasRevealed());
  EXPECT_TRUE(at_work.site.coordinator.steps.back().leave());
  EXPECT_THAT(at_work.sums.read, IsEmpty());
}

TEST(SessionPeersTest, SumWithTheTrustedSurvivorsIsGivenTo) {
  SecureSiteAtWork at_work("", StudyOfFour(true));
  at_work.site.policy = Trusting({"b", "c"});
  at_work.sums.attempts = {{.task = at_work.MakeTask(v1::Task::TRAIN),
                            .id = 't',
                            .lost_peers = {SiteId("d")}}};
  ASSERT_TRUE(at_work.site.Run().ok());
  EXPECT_THAT(at_work.Details(v1::LedgerEntry::SUM_REFUSED), IsEmpty());
  EXPECT_THAT(at_work.sums.read, SizeIs(1)) << at_work.log;
}

}  // namespace
}  // namespace hilum
