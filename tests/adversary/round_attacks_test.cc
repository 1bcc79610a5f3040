// SPDX-License-Identifier: Apache-2.0
// The coordinator claims that a sum was lost, or that a site was away, to get a
// second sum of one model or to hand out a model of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>

#include "absl/synchronization/notification.h"
#include "tests/adversary/attacked_study.h"
#include "tests/adversary/vectors.h"

namespace hilum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using Said = v1::SubmitSecureStepRequest;
const SiteId kVictim("d");

// Sums round 1 over four sites, and gives the attacker all of their shares.
// Until then the core gets only messages that it rejects, so that it asks
// again; then it is told that all sites leave, so that it takes the round for
// lost. `and_then` changes what the core is told later.
void LoseRoundOne(HostileCoordinator& coordinator,
                  const std::function<void(const SiteId&, Said&)>& and_then) {
  auto revealed = std::make_shared<std::set<SiteId>>();
  coordinator.on_step = [revealed, and_then](const SiteId& site, Said& told) {
    if (told.header().round() != 1 || !told.has_revealed()) {
      and_then(site, told);
      return;
    }
    revealed->insert(site);
    if (revealed->size() < 4) {
      told.set_sum_id(std::string(32, 'x'));
    } else {
      told.set_leave(true);
    }
  };
}

// Round 2 is about the same model, and the core is told that the victim has
// left.
void DropTheVictim(const SiteId& site, Said& told) {
  if (told.header().round() == 2 && told.has_keys() && site == kVictim) {
    told.set_leave(true);
  }
}

constexpr char kOneList[] =
    "has revealed shares of a sum about this very model, in round 1";

// Expects that the other sites' messages of round 2 do not open the victim's
// part: the difference of the two sums is noise, as the second sum stays
// masked.
void ExpectDifferenceIsNoise(AttackedStudy& study) {
  const std::vector<double> victim = DeltaOf(study.study(), "d");
  std::vector<double> difference(victim.size());
  for (const char* site : {"a", "b", "c", "d"}) {
    const std::vector<double> delta = DeltaOf(study.study(), site);
    for (size_t i = 0; i < delta.size(); ++i) {
      difference[i] += delta[i] / 4 * std::ldexp(1, 26);
    }
  }
  // The attacker has the shares of round 1, and so its sum.
  EXPECT_GT(Correlation(difference, victim), 0.3);
  std::vector<uint32_t> second(victim.size());
  for (const char* site : {"a", "b", "c"}) {
    const auto uploads = study.UploadsOf(site);
    ASSERT_GE(uploads.size(), 2u) << site;
    for (size_t i = 0; i < second.size(); ++i) second[i] += uploads[1][i];
  }
  const std::vector<double> masked = AsNumbers(second, second.size());
  for (size_t i = 0; i < masked.size(); ++i) difference[i] -= masked[i];
  EXPECT_LT(std::abs(Correlation(difference, victim)),
            NoiseBound(victim.size()));
}

TEST(LostRoundAttackTest, RoundThatWasNotLostIsNotSummedOverOtherSites) {
  AttackedStudy study;
  LoseRoundOne(study.coordinator(), DropTheVictim);
  study.Run();
  for (const char* site : {"a", "b", "c"}) {
    EXPECT_THAT(study.Lines(site, v1::LedgerEntry::SUM_REFUSED),
                Contains(HasSubstr(kOneList)))
        << study.Log(site);
    EXPECT_FALSE(study.Refused(site));  // it may be bad luck
  }
  for (const HostileCoordinator::Said& said : study.coordinator().said()) {
    if (said.said.header().round() == 2) {
      EXPECT_FALSE(said.said.has_revealed());
      EXPECT_FALSE(said.said.has_confirmation());
    }
  }
  study.ExpectStopped("round 2: 8 attempts at its masked sum were lost");
  ExpectDifferenceIsNoise(study);
}

// After a restart the sites have only what is on their disks.
TEST(LostRoundAttackTest, RoundThatWasNotLostIsRememberedAfterARestart) {
  AttackedStudy study;
  HostileCoordinator& coordinator = study.coordinator();
  LoseRoundOne(coordinator, DropTheVictim);
  bool restarted = false;
  std::set<SiteId> at_two;
  absl::Notification all_at_two;
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (restarted || next.task().header().round() != 2) return;
    at_two.insert(site);
    if (at_two.size() == 4 && !all_at_two.HasBeenNotified()) {
      all_at_two.Notify();
    }
    next.mutable_none();
    coordinator.Hold(site);
  };
  study.Start();
  ASSERT_TRUE(all_at_two.WaitForNotificationWithTimeout(absl::Seconds(60)));
  for (const char* site : {"a", "b", "c", "d"}) study.Restart(site);
  coordinator.InHook([&] {
    restarted = true;
    for (const char* site : {"a", "b", "c", "d"}) {
      coordinator.Release(SiteId(site));
    }
  });
  study.Wait();
  for (const char* site : {"a", "b", "c"}) {
    EXPECT_THAT(study.Lines(site, v1::LedgerEntry::SUM_REFUSED),
                Contains(HasSubstr(kOneList)))
        << study.Log(site);
  }
  study.ExpectStopped("attempts at its masked sum were lost");
  ExpectDifferenceIsNoise(study);
}

// The purpose of the attack: two plain sums of one model that differ in one
// site.
TEST(LostRoundAttackTest, WithoutTheRuleTheDifferenceIsTheVictimsUpdate) {
  AttackedStudy study;
  const std::vector<double> victim = DeltaOf(study.study(), "d");
  std::vector<double> difference(victim.size());
  for (const char* site : {"a", "b", "c", "d"}) {
    const std::vector<double> delta = DeltaOf(study.study(), site);
    for (size_t i = 0; i < delta.size(); ++i) {
      difference[i] += delta[i];                               // the first sum
      if (SiteId(site) != kVictim) difference[i] -= delta[i];  // the second
    }
  }
  EXPECT_GT(Correlation(difference, victim), 0.999);
}

// All shares of round 1 are out; the next tasks claim that it is still round 1.
TEST(LostRoundAttackTest, RoundIsNotSummedAgainAfterItsSharesAreOut) {
  AttackedStudy study;
  HostileCoordinator& coordinator = study.coordinator();
  LoseRoundOne(coordinator, [](const SiteId&, Said&) {});
  int changed = 0;
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (site != kVictim || next.task().header().round() != 2 || changed == 2) {
      return;
    }
    ++changed;
    next.mutable_task()->mutable_header()->set_round(1);
  };
  study.Run();
  EXPECT_THAT(study.Lines("d", v1::LedgerEntry::SUM_REFUSED),
              Contains(HasSubstr("a sum of round 1 is asked for; this site has "
                                 "revealed shares in round 1")));
  study.ExpectCompleted({"a", "b", "c"});
  study.ExpectNothingShownOf("d");
}

// The first attempt at round 2 is lost, which is allowed. In the second attempt
// the victim is asked about the model before.
TEST(TwoAttemptsAttackTest, SecondAttemptWithAnotherQuestionIsRefused) {
  AttackedStudy study;
  HostileCoordinator& coordinator = study.coordinator();
  std::string first;
  v1::BlobRef start;
  coordinator.on_step = [&](const SiteId& site, Said& told) {
    if (told.header().round() != 2 || !told.has_masked()) return;
    if (first.empty()) first = told.sum_id();
    if (told.sum_id() == first && site > SiteId("b")) told.set_leave(true);
  };
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (next.task().kind() != v1::Task::TRAIN) return;
    v1::Task& task = *next.mutable_task();
    if (task.header().round() == 1) start = task.global();
    if (site != kVictim || first.empty() || task.header().round() != 2 ||
        task.secure().sum_id() == first) {
      return;
    }
    *task.mutable_last_opening() = task.census_opening();
    *task.mutable_global() = start;
  };
  study.Run();
  study.ExpectRefused("d", "goes back to a sum before the last one");
  study.ExpectCompleted({"a", "b", "c"});
  study.ExpectNothingShownOf("d");
}

// The victim was away in rounds 1 and 2: it is shown nothing of the sum of
// round 1, and does not follow it. In round 3 it takes the state after the last
// sum as told; a trap model in this state must not reach a sum with other
// sites.
TEST(AwayAttackTest, TrapModelForASiteThatWasAwayIsSeenInTheRoster) {
  AttackedStudy study({.rounds = 3});
  HostileCoordinator& coordinator = study.coordinator();
  v1::Task trap;
  v1::BlobRef start;
  coordinator.on_step = [&](const SiteId& site, Said& told) {
    if (site != kVictim || !told.has_keys()) return;
    if (told.header().round() > 0 && told.header().round() < 3) {
      told.set_leave(true);
    }
    if (told.header().round() == 3) {
      coordinator.Hold(site);
      told.set_leave(true);
    }
  };
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (next.task().kind() != v1::Task::TRAIN) return;
    v1::Task& task = *next.mutable_task();
    if (task.header().round() == 1) start = task.global();
    if (task.header().round() == 2 && site == kVictim) {
      *task.mutable_last_opening() = task.census_opening();
      *task.mutable_global() = start;
    }
    if (task.header().round() != 3) return;
    if (site == kVictim && task.secure().has_advertise_keys()) {
      std::string model = coordinator.Blob(task.global());
      for (size_t i = 3; i < model.size(); i += 4) model[i] = 0x3f;
      *task.mutable_global() = coordinator.Serve(model);
      v1::SumOpening opening;
      ASSERT_TRUE(
          opening.ParseFromString(coordinator.Blob(task.last_opening())));
      opening.mutable_after()->set_model_sha256(task.global().sha256());
      *task.mutable_last_opening() =
          coordinator.Serve(opening.SerializeAsString());
      trap = task;
    }
    const Said* keys =
        coordinator.SaidBy(kVictim, Said::kKeys, task.secure().sum_id());
    if (site != SiteId("a") || !task.secure().has_roster() || keys == nullptr) {
      return;
    }
    v1::NextTaskResponse to_victim;
    *to_victim.mutable_task() = trap;
    v1::SecureStep& shown = *to_victim.mutable_task()->mutable_secure();
    shown = task.secure();
    v1::Roster::Entry& entry = *shown.mutable_roster()->add_entries();
    entry.set_site("d");
    *entry.mutable_keys() = keys->keys();
    coordinator.Push(kVictim, to_victim);
  };
  study.Run();
  study.ExpectRefused("d", "shows that a was asked something else");
  study.ExpectCompleted({"a", "b", "c"});
  EXPECT_TRUE(study.UploadsOf("d").empty());
}

}  // namespace
}  // namespace hilum
