// SPDX-License-Identifier: Apache-2.0
// The coordinator asks a site of a study with secure aggregation for its own
// figures, or for a sum that does not belong to the round.
#include <gmock/gmock.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/crypto/sha256.h"
#include "tests/adversary/attacked_study.h"
#include "tests/adversary/vectors.h"

namespace hilum {
namespace {

struct KindAttack {
  const char* name;
  v1::Task::Kind at;  // the task that is changed, at its first step
  std::function<void(v1::Task&)> change;
  const char* words;
};

const KindAttack kKindAttacks[] = {
    {"UpdateInTheClear", v1::Task::TRAIN,
     [](v1::Task& task) { task.clear_secure(); },
     "asks for this site's own figures"},
    {"EvaluationInTheClear", v1::Task::EVALUATE,
     [](v1::Task& task) { task.clear_secure(); },
     "asks for this site's own figures"},
    {"EvaluationInTheClearAmongTheRounds", v1::Task::TRAIN,
     [](v1::Task& task) {
       task.clear_secure();
       task.set_kind(v1::Task::EVALUATE);
     },
     "asks for this site's own figures"},
    {"EvaluationInATrainingRound", v1::Task::TRAIN,
     [](v1::Task& task) { task.set_kind(v1::Task::EVALUATE); },
     "is not one of its rounds"},
    {"CensusAgainInATrainingRound", v1::Task::TRAIN,
     [](v1::Task& task) { task.set_kind(v1::Task::PREPARE); },
     "is not one of its rounds"},
    {"TrainingInTheEvaluation", v1::Task::EVALUATE,
     [](v1::Task& task) { task.set_kind(v1::Task::TRAIN); },
     "is not one of its rounds"},
    {"TrainingInTheCensus", v1::Task::TRAIN,
     [](v1::Task& task) { task.mutable_header()->set_round(0); },
     "is not one of its rounds"},
};

class KindAttackTest : public testing::TestWithParam<KindAttack> {};

INSTANTIATE_TEST_SUITE_P(All, KindAttackTest, testing::ValuesIn(kKindAttacks),
                         [](const auto& info) { return info.param.name; });

TEST_P(KindAttackTest, IsRefusedAndNothingLeavesUnmasked) {
  const KindAttack& attack = GetParam();
  AttackedStudy study;
  study.coordinator().on_next = [&](const SiteId& site,
                                    v1::NextTaskResponse& next) {
    if (site == SiteId("d") && next.task().kind() == attack.at &&
        next.task().secure().has_advertise_keys()) {
      attack.change(*next.mutable_task());
    }
  };
  study.Run();
  study.ExpectRefused("d", attack.words);
  study.ExpectCompleted({"a", "b", "c"});
  study.ExpectNothingShownOf("d");
}

// A census is asked for without a sum, first to learn which sites are there;
// the site then says that it is there, and gives no figure of its own.
TEST(CensusAttackTest, CensusInTheClearHasNoFigures) {
  AttackedStudy study;
  int asked = 0;
  study.coordinator().on_next = [&](const SiteId& site,
                                    v1::NextTaskResponse& next) {
    if (site != SiteId("d") || next.task().kind() != v1::Task::PREPARE ||
        !next.task().has_secure() || asked == 3) {
      return;
    }
    ++asked;
    next.mutable_task()->clear_secure();
  };
  study.Run();
  study.ExpectCompleted({"a", "b", "c", "d"});
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(study.coordinator().censuses().size(), 7u);
  for (const v1::SubmitCensusRequest& census : study.coordinator().censuses()) {
    EXPECT_EQ(census.arms_size(), 0);
    EXPECT_EQ(census.rows(), 0u);
    EXPECT_EQ(census.rejected_rows(), 0u);
    EXPECT_EQ(census.rejected_masks_size(), 0);
  }
}

// Returns the SHA-256 of the last model of a completed study.
std::string LastModel(AttackedStudy& study,
                      const std::function<void(v1::Task&)>& change) {
  std::string model;
  study.coordinator().on_next = [&](const SiteId&, v1::NextTaskResponse& next) {
    if (!next.has_task()) return;
    if (next.task().kind() == v1::Task::EVALUATE) {
      model = next.task().global().sha256();
    }
    change(*next.mutable_task());
  };
  study.Run();
  study.ExpectCompleted({"a", "b", "c", "d"});
  return model;
}

// Earlier protocols had N, class weights and frozen weights in a task; a site
// that still read them would train on the coordinator's word.
TEST(ToldFieldsAttackTest, WhatATaskTellsBesidesChangesNothing) {
  AttackedStudy told, plain;
  const std::string attacked = LastModel(told, [](v1::Task& task) {
    // The numbers and types of these fields before protocol 6.
    auto* old = task.GetReflection()->MutableUnknownFields(&task);
    old->AddLengthDelimited(3, std::string(34, '\n'));          // frozen
    old->AddLengthDelimited(5, std::string(6 * 8, '\0'));       // class_weights
    for (int t = 0; t < 3; ++t) old->AddVarint(6, 1ull << 62);  // examples
    old->AddVarint(77, 1 << 20);
    task.mutable_census()->add_sites("d");
  });
  EXPECT_FALSE(attacked.empty());
  EXPECT_EQ(ToHex(attacked), ToHex(LastModel(plain, [](v1::Task&) {})));
}

}  // namespace
}  // namespace hilum
