// SPDX-License-Identifier: Apache-2.0
// The coordinator opens a sum that was not made, or names a state that does not
// follow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>

#include "tests/adversary/attacked_study.h"
#include "tests/adversary/vectors.h"

namespace hilum {
namespace {

struct OpeningAttack {
  const char* name;
  // Changes the opening of the sum of round 1, shown in round 2.
  std::function<void(v1::SumOpening&, const SiteId& to)> change;
  const char* words;
};

const OpeningAttack kOpeningAttacks[] = {
    {"ForgedModelAfterIt",
     [](v1::SumOpening& opening, const SiteId&) {
       opening.mutable_after()->set_model_sha256(std::string(32, 'm'));
     },
     "does not follow from the last one and the sum of round 1"},
    {"SumOfAnotherLength",
     [](v1::SumOpening& opening, const SiteId&) {
       opening.mutable_sum()->set_size(opening.sum().size() + 4);
     },
     "sum of round 1 has"},
    {"OwnMaskThatNobodyCommittedTo",
     [](v1::SumOpening& opening, const SiteId&) {
       opening.mutable_survivors(1)->set_self_mask(std::string(32, 'b'));
     },
     "has an own mask of b that it did not commit to"},
    {"VectorThatASiteDidNotSign",
     [](v1::SumOpening& opening, const SiteId&) {
       opening.mutable_survivors(2)->mutable_vector()->set_sha256(
           std::string(32, 'v'));
     },
     "has a vector that c did not sign"},
    {"FewerConfirmationsThanTheThreshold",
     [](v1::SumOpening& opening, const SiteId&) {
       opening.mutable_confirmations()->mutable_entries()->DeleteSubrange(0, 2);
     },
     "has 2 confirmations, of at least 3"},
    {"AnotherBeginning",
     [](v1::SumOpening& opening, const SiteId&) {
       opening.mutable_before()->set_model_sha256(std::string(32, 'm'));
     },
     "did not sign for it"},
    // Tells each site that it was away, so that it takes the state as told.
    {"ToldThatItWasAway",
     [](v1::SumOpening& opening, const SiteId& to) {
       for (int i = 0; i < opening.survivors_size(); ++i) {
         if (opening.survivors(i).site() != to.name()) continue;
         opening.mutable_survivors()->DeleteSubrange(i, 1);
         opening.mutable_sharers()->DeleteSubrange(i, 1);
         opening.mutable_roster()->mutable_entries()->DeleteSubrange(i, 1);
         break;
       }
       opening.mutable_after()->set_model_sha256(std::string(32, 'm'));
     },
     "did not sign"},
};

class OpeningAttackTest : public testing::TestWithParam<OpeningAttack> {
 protected:
  // Forges the openings that these sites are shown.
  static void Forge(AttackedStudy& study, const OpeningAttack& attack,
                    std::set<SiteId> to) {
    HostileCoordinator& coordinator = study.coordinator();
    coordinator.on_next = [&coordinator, attack, to](
                              const SiteId& site, v1::NextTaskResponse& next) {
      if (!to.contains(site) || next.task().kind() != v1::Task::TRAIN ||
          next.task().header().round() != 2) {
        return;
      }
      v1::SumOpening opening;
      ASSERT_TRUE(opening.ParseFromString(
          coordinator.Blob(next.task().last_opening())));
      attack.change(opening, site);
      *next.mutable_task()->mutable_last_opening() =
          coordinator.Serve(opening.SerializeAsString());
    };
    study.Run();
  }
};

INSTANTIATE_TEST_SUITE_P(All, OpeningAttackTest,
                         testing::ValuesIn(kOpeningAttacks),
                         [](const auto& info) { return info.param.name; });

TEST_P(OpeningAttackTest, OfOneSiteIsRefusedAndTheOthersGoOn) {
  AttackedStudy study;
  Forge(study, GetParam(), {SiteId("d")});
  study.ExpectRefused("d", GetParam().words);
  study.ExpectCompleted({"a", "b", "c"});
  study.ExpectNothingShownOf("d");
  EXPECT_EQ(study.UploadsOf("d").size(), 1u);  // of round 1
}

TEST_P(OpeningAttackTest, OfAllSitesEndsTheStudy) {
  AttackedStudy study;
  Forge(study, GetParam(),
        {SiteId("a"), SiteId("b"), SiteId("c"), SiteId("d")});
  for (const char* site : {"a", "b", "c", "d"}) {
    study.ExpectRefusedOrOver(site, GetParam().words);
    EXPECT_EQ(study.UploadsOf(site).size(), 1u);
  }
  study.ExpectStopped("");
}

struct TaskAttack {
  const char* name;
  uint32_t round;
  std::function<void(v1::Task&, HostileCoordinator&, const v1::Task& earlier)>
      change;
  const char* words;
};

const TaskAttack kTaskAttacks[] = {
    {"GarbageForAnOpening", 2,
     [](v1::Task& task, HostileCoordinator& coordinator, const v1::Task&) {
       *task.mutable_last_opening() = coordinator.Serve("\xff\xfe no opening");
     },
     "opening of a sum cannot be read"},
    {"NoOpening", 2,
     [](v1::Task& task, HostileCoordinator&, const v1::Task&) {
       task.clear_last_opening();
     },
     "asks for a sum without opening the one before it"},
    {"OpeningOfAnEarlierRound", 3,
     [](v1::Task& task, HostileCoordinator&, const v1::Task& earlier) {
       *task.mutable_last_opening() = earlier.last_opening();
       *task.mutable_global() = earlier.global();
     },
     "goes back to a sum before the last one"},
    {"AnotherModelsAddress", 2,
     [](v1::Task& task, HostileCoordinator&, const v1::Task&) {
       task.mutable_global()->set_sha256(std::string(32, 'g'));
     },
     "names another model for round 2"},
    {"ModelOfAnEarlierRound", 2,
     [](v1::Task& task, HostileCoordinator&, const v1::Task& earlier) {
       *task.mutable_global() = earlier.global();
     },
     "names another model for round 2"},
    {"CensusOfAnotherSum", 1,
     [](v1::Task& task, HostileCoordinator& coordinator, const v1::Task&) {
       v1::SumOpening opening;
       ASSERT_TRUE(
           opening.ParseFromString(coordinator.Blob(task.census_opening())));
       opening.mutable_after()->set_census_sha256(std::string(32, 'c'));
       *task.mutable_census_opening() =
           coordinator.Serve(opening.SerializeAsString());
     },
     "the census that the coordinator goes on from is not the sum"},
};

class TaskAttackTest : public testing::TestWithParam<TaskAttack> {
 protected:
  static void Attack(AttackedStudy& study, const TaskAttack& attack,
                     std::set<SiteId> to) {
    HostileCoordinator& coordinator = study.coordinator();
    auto earlier = std::make_shared<v1::Task>();
    coordinator.on_next = [=, &coordinator](const SiteId& site,
                                            v1::NextTaskResponse& next) {
      if (next.task().kind() != v1::Task::TRAIN) return;
      const uint32_t round = next.task().header().round();
      if (round == attack.round && to.contains(site)) {
        attack.change(*next.mutable_task(), coordinator, *earlier);
      } else if (round == 1) {
        *earlier = next.task();
      }
    };
    study.Run();
  }
};

INSTANTIATE_TEST_SUITE_P(All, TaskAttackTest, testing::ValuesIn(kTaskAttacks),
                         [](const auto& info) { return info.param.name; });

TEST_P(TaskAttackTest, OfOneSiteIsRefusedAndTheOthersGoOn) {
  AttackedStudy study({.rounds = 3});
  Attack(study, GetParam(), {SiteId("d")});
  study.ExpectRefused("d", GetParam().words);
  study.ExpectCompleted({"a", "b", "c"});
  study.ExpectNothingShownOf("d");
}

TEST_P(TaskAttackTest, OfAllSitesEndsTheStudy) {
  AttackedStudy study({.rounds = 3});
  Attack(study, GetParam(),
         {SiteId("a"), SiteId("b"), SiteId("c"), SiteId("d")});
  for (const char* site : {"a", "b", "c", "d"}) {
    study.ExpectRefusedOrOver(site, GetParam().words);
    study.ExpectNothingShownOf(site);
  }
  study.ExpectStopped("");
}

}  // namespace
}  // namespace hilum
