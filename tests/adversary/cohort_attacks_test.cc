// SPDX-License-Identifier: Apache-2.0
// Cohorts in which a sum would single out a site or a patient.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/risks.h"
#include "tests/adversary/attacked_study.h"
#include "tests/adversary/vectors.h"

namespace hilum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using Said = v1::SubmitSecureStepRequest;

const char* const kSites[] = {"a", "b", "c", "d"};

// The whole cohort has one patient of one class in one fold.
TEST(CohortAttackTest, CellOfOnePatientIsTrainedByNobody) {
  AttackedStudy study;
  for (const char* site : kSites) {
    const bool has = site == std::string("d");
    study.site(site).trainer.cases = [has](int fold, int label) -> uint64_t {
      if (fold == 1 && label == 0) return has ? 1 : 0;
      return 10;
    };
  }
  study.Run();
  for (const char* site : kSites) {
    study.ExpectRefused(site, "too few patients in a cell: 1 of class sick");
    EXPECT_TRUE(study.UploadsOf(site).empty());
  }
  study.ExpectStopped("");
}

// An officer who accepts the risk for one site does not accept it for the
// others.
TEST(CohortAttackTest, OneLaxPolicyOpensNoOneElsesCell) {
  AttackedStudy study;
  for (const char* site : kSites) {
    const bool has = site == std::string("d");
    study.site(site).trainer.cases = [has](int fold, int label) -> uint64_t {
      if (fold == 1 && label == 0) return has ? 1 : 0;
      return 10;
    };
  }
  study.site("a").policy.set_minimum_cell_patients(1);
  study.Run();
  for (const char* site : {"b", "c", "d"}) {
    study.ExpectRefused(site, "too few patients in a cell");
    EXPECT_TRUE(study.UploadsOf(site).empty());
  }
  study.ExpectStopped("");
}

// Nine of the cell's ten patients are at d. Without d, which the coordinator
// may report as dropped out, the sum would be of one patient.
TEST(CohortAttackTest, CellIsNotThinnedByDroppingASite) {
  AttackedStudy study;
  for (const char* site : kSites) {
    const std::string name = site;
    study.site(site).trainer.cases = [name](int fold, int label) -> uint64_t {
      if (fold != 1 || label != 0) return 10;
      return name == "d" ? 9 : name == "a" ? 1 : 0;
    };
  }
  study.Run();
  for (const char* site : kSites) {
    study.ExpectRefused(site, "may be without 1 site of the cohort");
    EXPECT_TRUE(study.UploadsOf(site).empty());
  }
  study.ExpectStopped("");
}

// c and d have cases in the first fold only: the track that holds it out would
// be trained by a and b alone, and each knows its own part.
TEST(CohortAttackTest, TrackOfTwoSitesIsLeftOut) {
  AttackedStudy study;
  for (const char* site : {"c", "d"}) {
    study.site(site).trainer.cases = [](int fold, int) -> uint64_t {
      return fold == 0 ? 10 : 0;
    };
  }
  v1::BlobRef first, last;
  study.coordinator().on_next = [&](const SiteId&, v1::NextTaskResponse& next) {
    if (!next.has_task() || next.task().global().size() == 0) return;
    if (first.size() == 0) first = next.task().global();
    last = next.task().global();
  };
  std::string start;
  study.coordinator().on_step = [&](const SiteId&, Said& told) {
    if (told.header().round() == 1 && start.empty()) {
      start = study.coordinator().Blob(first);
    }
  };
  study.Run();
  study.ExpectCompleted({"a", "b", "c", "d"});
  const std::string end = study.coordinator().Blob(last);
  const size_t track = start.size() / 3;
  ASSERT_EQ(end.size(), start.size());
  EXPECT_EQ(end.substr(0, track), start.substr(0, track));
  EXPECT_NE(end.substr(track, track), start.substr(track, track));
  EXPECT_NE(end.substr(2 * track), start.substr(2 * track));
}

TEST(CohortAttackTest, SiteThatIsNearlyTheWholeSumStaysOutByPolicy) {
  AttackedStudy study;
  study.site("d").trainer.cases = [](int, int) { return 1000; };
  study.site("d").policy.set_largest_share(0.8);
  study.Run();
  study.ExpectRefused("d", "this site has 97 % of the cohort's cases");
  study.ExpectCompleted({"a", "b", "c"});
  EXPECT_TRUE(study.UploadsOf("d").empty());
}

v1::Policy Trusting(std::initializer_list<const char*> peers, uint32_t least) {
  v1::Policy policy;
  for (const char* site : peers) {
    v1::TrustedPeer& peer = *policy.add_trusted_peers();
    peer.set_site(site);
    peer.set_key(ToHex(KeyDigest(MemberNamed(site).identity.certificate_pem)));
  }
  policy.set_minimum_trusted(least);
  return policy;
}

// The coordinator drops the hospitals that a site knows, and leaves the site in
// a sum with others.
TEST(TrustedPeersAttackTest, SumWithoutTheTrustedHospitalsIsLeft) {
  AttackedStudy study({.pinned = true});
  study.site("a").policy = Trusting({"c", "d"}, 2);
  study.coordinator().on_step = [](const SiteId& site, Said& told) {
    if (site == SiteId("d") && told.header().round() == 1 && told.has_keys()) {
      told.set_leave(true);
    }
  };
  study.Run();
  EXPECT_THAT(study.Lines("a", v1::LedgerEntry::SUM_REFUSED),
              Contains(HasSubstr("policy.minimum_trusted")))
      << study.Log("a");
  for (const HostileCoordinator::Said& said : study.coordinator().said()) {
    if (said.site == SiteId("a") && said.said.header().round() > 0) {
      EXPECT_FALSE(said.said.has_confirmation());
    }
  }
  study.ExpectStopped("attempts at its masked sum were lost");
}

// A study names hospitals that a site knows, with other keys.
TEST(TrustedPeersAttackTest, KnownNameWithAnotherKeyIsRefused) {
  AttackedStudy study({.pinned = true});
  study.site("a").policy = Trusting({"b", "c", "d"}, 2);
  study.site("a").policy.mutable_trusted_peers(2)->set_key(
      ToHex(KeyDigest(SecondMemberNamed("d").identity.certificate_pem)));
  study.Run();
  EXPECT_THAT(study.Lines("a", v1::LedgerEntry::ANSWER_REFUSED),
              Contains(HasSubstr("policy.trusted_peers has another one")));
  EXPECT_TRUE(study.UploadsOf("a").empty());
  study.ExpectCompleted({"b", "c", "d"});
}

// The second study has one site less: the difference is that site's part.
TEST(SecondStudyAttackTest, SecondStudyWithOneSiteLessTakesAYes) {
  AttackedStudy::Plan plan;
  AttackedStudy::Plan less;
  less.sites = {"a", "b", "c"};
  plan.others = {AttackedStudy::StudyOf(less, "again")};
  AttackedStudy study(plan);
  for (const char* site : kSites) {
    study.site(site).accepts = [](const v1::Study& offered) {
      Acceptance accepted = AcceptEverything(offered);
      accepted.risks.erase(std::string(kSiteUpdatesInferable));
      return accepted;
    };
  }
  study.Start();
  for (const char* site : {"a", "b", "c"}) {
    ASSERT_TRUE(study.site(site).ended->WaitForNotificationWithTimeout(
        absl::Seconds(60)));
  }
  // d may still wait in the first study, if that has not stopped already.
  study.core().StopStudy(study.hash()).status().IgnoreError();
  study.Wait();
  for (const char* site : {"a", "b", "c"}) {
    EXPECT_THAT(study.Lines(site, v1::LedgerEntry::ANSWER_REFUSED),
                Contains(HasSubstr("site_updates_inferable")))
        << study.Log(site);
    EXPECT_TRUE(study.UploadsOf(site).empty());
  }
}

}  // namespace
}  // namespace hilum
