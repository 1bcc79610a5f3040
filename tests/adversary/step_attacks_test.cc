// SPDX-License-Identifier: Apache-2.0
// The coordinator shows one site another step of a masked sum than the others,
// or keys, vectors and signatures that no site gave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "common/crypto/secure_rng.h"
#include "common/crypto/sha256.h"
#include "common/crypto/x25519.h"
#include "common/secagg/context.h"
#include "tests/adversary/attacked_study.h"
#include "tests/adversary/vectors.h"

namespace hilum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using Said = v1::SubmitSecureStepRequest;
using Shown = v1::SecureStep;

const SiteId kVictim("d");

void SetMaskKeyOf(v1::Roster::Entry& entry) {
  entry.mutable_keys()->set_mask_key(
      X25519KeyPair::Generate(RealSecureRng()).public_key());
}

// Returns keys that the coordinator made, signed with the key of `member`.
v1::RoundKeys OwnKeys(const v1::Task& task, const SiteId& site,
                      const std::string& question, const Member& member) {
  v1::RoundKeys keys;
  keys.set_mask_key(X25519KeyPair::Generate(RealSecureRng()).public_key());
  keys.set_share_key(X25519KeyPair::Generate(RealSecureRng()).public_key());
  keys.set_question(question);
  keys.set_certificate(member.identity.certificate_pem);
  const SecAggContext context{.study_hash = task.header().study_hash(),
                              .round = task.header().round(),
                              .question = question};
  keys.set_signature(member.signer->Sign(KeysStatement(context, site, keys)));
  return keys;
}

struct StepAttack {
  const char* name;
  Shown::ShownCase in;
  std::function<void(v1::Task&)> change;
  const char* words;
};

const StepAttack kStepAttacks[] = {
    {"MaskKeyOfItsOwnInASitesPlace", Shown::kRoster,
     [](v1::Task& task) {
       SetMaskKeyOf(
           *task.mutable_secure()->mutable_roster()->mutable_entries(1));
     },
     "has keys that b did not sign"},
    {"KeysOfAnotherSiteInASitesPlace", Shown::kRoster,
     [](v1::Task& task) {
       v1::Roster& roster = *task.mutable_secure()->mutable_roster();
       const std::string question = roster.entries(1).keys().question();
       *roster.mutable_entries(1)->mutable_keys() =
           OwnKeys(task, SiteId("b"), question, MemberNamed("z"));
     },
     "has keys that b did not sign"},
    {"OtherKeysForTheSiteItself", Shown::kRoster,
     [](v1::Task& task) {
       SetMaskKeyOf(
           *task.mutable_secure()->mutable_roster()->mutable_entries(3));
     },
     "has other keys for this site than it gave"},
    {"StrangerInTheRoster", Shown::kRoster,
     [](v1::Task& task) {
       v1::Roster& roster = *task.mutable_secure()->mutable_roster();
       const std::string question = roster.entries(0).keys().question();
       v1::Roster::Entry& entry = *roster.mutable_entries(2);
       *entry.mutable_keys() =
           OwnKeys(task, SiteId("cc"), question, MemberNamed("cc"));
       entry.set_site("cc");
     },
     "names cc, which is not of the study"},
    {"RosterBelowTheThreshold", Shown::kRoster,
     [](v1::Task& task) {
       task.mutable_secure()
           ->mutable_roster()
           ->mutable_entries()
           ->DeleteSubrange(0, 2);
     },
     "has 2 sites, of at least 3"},
    {"InboxBelowTheThreshold", Shown::kInbox,
     [](v1::Task& task) {
       task.mutable_secure()->mutable_inbox()->mutable_shares()->DeleteSubrange(
           0, 2);
     },
     "only 2 sites have shared, of at least 3"},
    {"SurvivorsWithoutTheVictim", Shown::kSurvivors,
     [](v1::Task& task) {
       v1::Survivors& survivors = *task.mutable_secure()->mutable_survivors();
       survivors.mutable_sites()->RemoveLast();
       survivors.mutable_vectors()->RemoveLast();
     },
     "leave out this site"},
    {"SurvivorsBelowTheThreshold", Shown::kSurvivors,
     [](v1::Task& task) {
       v1::Survivors& survivors = *task.mutable_secure()->mutable_survivors();
       survivors.mutable_sites()->DeleteSubrange(0, 2);
       survivors.mutable_vectors()->DeleteSubrange(0, 2);
     },
     "a sum of 2 sites is asked for, of at least 3"},
    {"VectorOfASurvivorSwapped", Shown::kSurvivors,
     [](v1::Task& task) {
       task.mutable_secure()
           ->mutable_survivors()
           ->mutable_vectors(1)
           ->set_sha256(std::string(32, 'v'));
     },
     "have a vector that b did not sign"},
    {"VectorOfTheVictimSwapped", Shown::kSurvivors,
     [](v1::Task& task) {
       task.mutable_secure()
           ->mutable_survivors()
           ->mutable_vectors(3)
           ->set_sha256(std::string(32, 'v'));
     },
     "have another vector of this site"},
    {"ConfirmationsBelowTheThreshold", Shown::kConfirmations,
     [](v1::Task& task) {
       task.mutable_secure()
           ->mutable_confirmations()
           ->mutable_entries()
           ->DeleteSubrange(0, 2);
     },
     "only 2 sites have confirmed, of at least 3"},
    {"ConfirmationSwapped", Shown::kConfirmations,
     [](v1::Task& task) {
       auto& entries =
           *task.mutable_secure()->mutable_confirmations()->mutable_entries();
       entries[1].set_signature(entries[0].signature());
     },
     "b has not confirmed the survivors"},
    {"SecondListAfterTheFirst", Shown::kConfirmations,
     [](v1::Task& task) {
       v1::Survivors& survivors = *task.mutable_secure()->mutable_survivors();
       for (const char* site : {"a", "b", "d"}) survivors.add_sites(site);
     },
     "shows one step of a sum twice, with differences"},
    {"SharesAskedForInAnotherRound", Shown::kConfirmations,
     [](v1::Task& task) { task.mutable_header()->set_round(2); },
     "for a sum of round 1"},
};

class StepAttackTest : public testing::TestWithParam<StepAttack> {};

INSTANTIATE_TEST_SUITE_P(All, StepAttackTest, testing::ValuesIn(kStepAttacks),
                         [](const auto& info) { return info.param.name; });

// Attacks in the first training round; the other sites go on without the
// victim.
TEST_P(StepAttackTest, IsRefusedByNameAndTheOthersGoOn) {
  const StepAttack& attack = GetParam();
  AttackedStudy study;
  study.coordinator().on_next = [&](const SiteId& site,
                                    v1::NextTaskResponse& next) {
    if (site == kVictim && next.task().kind() == v1::Task::TRAIN &&
        next.task().secure().shown_case() == attack.in) {
      attack.change(*next.mutable_task());
    }
  };
  study.Run();
  study.ExpectRefused("d", attack.words);
  study.ExpectCompleted({"a", "b", "c"});
  study.ExpectNothingShownOf("d");
  for (const HostileCoordinator::Said& said : study.coordinator().said()) {
    if (said.site == kVictim && said.said.header().round() > 0) {
      EXPECT_FALSE(said.said.has_revealed());
    }
  }
}

// A colluding authority has certified the other key.
TEST(PinnedKeyAttackTest, KeyOtherThanThePinnedOneIsRefused) {
  AttackedStudy study({.pinned = true});
  study.coordinator().on_next = [](const SiteId& site,
                                   v1::NextTaskResponse& next) {
    if (site != SiteId("a") || !next.task().secure().has_roster()) return;
    v1::Task& task = *next.mutable_task();
    v1::Roster::Entry& entry =
        *task.mutable_secure()->mutable_roster()->mutable_entries(3);
    *entry.mutable_keys() =
        OwnKeys(task, kVictim, entry.keys().question(), SecondMemberNamed("d"));
  };
  study.Run();
  study.ExpectRefused("a", "site d shows the key");
  // The attack is in the first sum, which all sites should be in: it is over
  // three.
  study.ExpectCompleted({"b", "c", "d"});
}

// The victim masks for fewer sites than the others do, so that one of their
// masks stays in the sum; the coordinator takes its vector all the same.
TEST(TwoInboxesAttackTest, SmallerInboxToOneSiteIsSeenByTheOthers) {
  AttackedStudy study;
  HostileCoordinator& coordinator = study.coordinator();
  coordinator.on_step = [](const SiteId& site, Said& told) {
    if (site == kVictim && told.header().round() == 1 && told.has_masked()) {
      told.set_leave(true);
    }
  };
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (next.task().kind() != v1::Task::TRAIN) return;
    Shown& shown = *next.mutable_task()->mutable_secure();
    if (site == kVictim && shown.has_inbox()) {
      shown.mutable_inbox()->mutable_shares()->DeleteSubrange(0, 1);
    }
    const Said* masked =
        coordinator.SaidBy(kVictim, Said::kMasked, shown.sum_id());
    if (!shown.has_survivors() || masked == nullptr) return;
    const Said* shares =
        coordinator.SaidBy(kVictim, Said::kShares, shown.sum_id());
    shown.mutable_survivors()->add_sites("d");
    v1::SurvivorVector& vector = *shown.mutable_survivors()->add_vectors();
    vector.set_sha256(masked->masked().sha256());
    vector.set_signature(masked->vector_signature());
    vector.set_self_mask_commitment(shares->shares().self_mask_commitment());
  };
  study.Run();
  for (const char* site : {"a", "b", "c"}) {
    study.ExpectRefusedOrOver(site, "have a vector that d did not sign");
  }
  study.ExpectStopped("");
  study.ExpectNothingShownOf("d");
}

// a and b confirm a sum without d; c and d confirm one without a.
TEST(TwoListsAttackTest, TwoListsToTwoSitesOpenNothing) {
  AttackedStudy study;
  HostileCoordinator& coordinator = study.coordinator();
  std::map<SiteId, v1::Task> shown;
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (next.task().kind() != v1::Task::TRAIN ||
        !next.task().secure().has_survivors()) {
      return;
    }
    v1::Survivors& survivors =
        *next.mutable_task()->mutable_secure()->mutable_survivors();
    const int out = site < SiteId("c") ? 3 : 0;
    survivors.mutable_sites()->DeleteSubrange(out, 1);
    survivors.mutable_vectors()->DeleteSubrange(out, 1);
    shown[site] = next.task();
  };
  std::map<SiteId, std::string> confirmed;
  coordinator.on_step = [&](const SiteId& site, Said& told) {
    if (told.header().round() != 1 || !told.has_confirmation()) return;
    coordinator.Hold(site);
    confirmed[site] = told.confirmation().signature();
    told.set_sum_id(std::string(32, 'x'));  // the core waits on
    if (confirmed.size() < 4) return;
    for (auto& [to, task] : shown) {
      const v1::Survivors list = task.secure().survivors();
      v1::Confirmations& all = *task.mutable_secure()->mutable_confirmations();
      for (const std::string& name : list.sites()) {
        v1::Confirmations::Entry& entry = *all.add_entries();
        entry.set_site(name);
        entry.set_signature(confirmed[SiteId(name)]);
      }
      v1::NextTaskResponse next;
      *next.mutable_task() = task;
      coordinator.Push(to, std::move(next));
    }
  };
  study.Run();
  for (const char* site : {"a", "b", "c", "d"}) {
    study.ExpectRefusedOrOver(site,
                              "has not confirmed the survivors that this site");
    study.ExpectNothingShownOf(site);
  }
  study.ExpectStopped("");
}

// In one sum the victim is asked about the first model again, and the others
// about the next model: the victim's part could be told apart.
TEST(TwoQuestionsAttackTest, SitesAskedDifferentlySeeItAndKeepTheSignatures) {
  AttackedStudy study;
  HostileCoordinator& coordinator = study.coordinator();
  v1::BlobRef start;
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (next.task().kind() != v1::Task::TRAIN) return;
    v1::Task& task = *next.mutable_task();
    if (task.header().round() == 1) start = task.global();
    if (task.header().round() != 2) return;
    if (site == kVictim && task.secure().has_advertise_keys()) {
      *task.mutable_last_opening() = task.census_opening();
      *task.mutable_global() = start;
    }
    const Said* keys =
        coordinator.SaidBy(kVictim, Said::kKeys, task.secure().sum_id());
    if (!task.secure().has_roster() || keys == nullptr) return;
    v1::Roster::Entry& entry =
        *task.mutable_secure()->mutable_roster()->add_entries();
    entry.set_site("d");
    *entry.mutable_keys() = keys->keys();
    v1::NextTaskResponse to_victim = next;
    *to_victim.mutable_task()->mutable_last_opening() = task.census_opening();
    *to_victim.mutable_task()->mutable_global() = start;
    coordinator.Push(kVictim, to_victim);
  };
  coordinator.on_step = [&](const SiteId& site, Said& told) {
    if (site != kVictim || told.header().round() != 2 || !told.has_keys()) {
      return;
    }
    coordinator.Hold(site);
    told.set_leave(true);
  };
  study.Run();
  const Said* keys = coordinator.SaidBy(kVictim, Said::kKeys);
  ASSERT_NE(keys, nullptr);
  int saw = 0;
  for (const char* site : {"a", "b", "c"}) {
    study.ExpectNothingShownOf(site);
    // After two sites have left, the sum is lost, and the third may not have
    // been shown its roster.
    if (study.Lines(site, v1::LedgerEntry::SUM_REFUSED).empty()) continue;
    ++saw;
    study.ExpectRefused(site, "shows that d was asked something else");
    EXPECT_THAT(study.Lines(site, v1::LedgerEntry::SUM_REFUSED),
                Contains(HasSubstr(ToHex(keys->keys().signature()))));
  }
  EXPECT_GE(saw, 2);
  study.ExpectRefused("d", "shows that a was asked something else");
  study.ExpectStopped("");
}

}  // namespace
}  // namespace hilum
