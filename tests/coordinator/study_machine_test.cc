// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_machine.h"

#include <gtest/gtest.h>

#include "common/config/study.h"

namespace hilum {
namespace {

using Command = StudyMachine::Command;

const SiteId kA("a"), kB("b");
const absl::Time kStart = absl::FromUnixSeconds(1000);

v1::Study TwoSites(uint32_t minimum_sites) {
  v1::Study study;
  study.set_name("s");
  for (const char* label : {"x", "y"}) study.add_classes(label);
  for (const char* site : {"a", "b"}) study.add_sites(site);
  study.mutable_training()->set_rounds(1);
  study.mutable_aggregation()->set_minimum_sites(minimum_sites);
  study.mutable_aggregation()->set_round_deadline_seconds(60);
  FillStudyDefaults(study);
  return study;
}

void PrepareBoth(StudyMachine& machine) {
  machine.Accept(kA);
  machine.Accept(kB);
  EXPECT_EQ(machine.Next(kStart), Command::kNone);
  ASSERT_EQ(machine.phase(), v1::StudyStatus::TRAINING);
}

TEST(StudyMachineTest, GoesFromCensusThroughRoundsAndEvaluationToItsEnd) {
  StudyMachine machine(TwoSites(2), {}, {}, kStart);
  EXPECT_EQ(machine.TaskFor(kA), v1::Task::PREPARE);
  PrepareBoth(machine);
  EXPECT_EQ(machine.TaskFor(kA), v1::Task::TRAIN);
  machine.Accept(kA);
  EXPECT_EQ(machine.TaskFor(kA), v1::Task::KIND_UNSPECIFIED);
  EXPECT_EQ(machine.Next(kStart), Command::kNone);
  machine.Accept(kB);
  EXPECT_EQ(machine.Next(kStart), Command::kAggregate);
  EXPECT_FALSE(machine.Check(kA, v1::Task::TRAIN, 1).ok());
  machine.Committed(kStart);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::EVALUATE);
  machine.Accept(kA);
  machine.Accept(kB);
  EXPECT_EQ(machine.Next(kStart), Command::kEnded);
  EXPECT_EQ(machine.phase(), v1::StudyStatus::COMPLETED);
}

TEST(StudyMachineTest, EvaluationFollowsAtOnceWhereTrainingIsOver) {
  v1::Study study = TwoSites(2);
  study.mutable_training()->set_rounds(5);
  StudyMachine machine(study, {}, {}, kStart);
  PrepareBoth(machine);
  machine.Accept(kA);
  machine.Accept(kB);
  EXPECT_EQ(machine.Next(kStart), Command::kAggregate);
  machine.Committed(kStart, /*trained=*/true);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::EVALUATE);
  EXPECT_EQ(machine.round(), 6u);
  const StudyMachine restarted(study,
                               {.committed_rounds = 1,
                                .census = {kA, kB},
                                .evaluations = {kA},
                                .prepared = true,
                                .trained = true},
                               {}, kStart);
  EXPECT_EQ(restarted.TaskFor(kB), v1::Task::EVALUATE);
  EXPECT_EQ(restarted.TaskFor(kA), v1::Task::KIND_UNSPECIFIED);
  EXPECT_EQ(restarted.round(), 6u);
}

TEST(StudyMachineTest, RoundClosesAtItsDeadlineWithAQuorum) {
  StudyMachine machine(TwoSites(1), {}, {}, kStart);
  PrepareBoth(machine);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(59)), Command::kNone);
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(60)), Command::kAggregate);
}

TEST(StudyMachineTest, StudyStopsAtADeadlineWithoutQuorumAndNamesTheAbsent) {
  StudyMachine machine(TwoSites(2), {}, {}, kStart);
  PrepareBoth(machine);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(61)), Command::kEnded);
  EXPECT_EQ(machine.phase(), v1::StudyStatus::STOPPED);
  EXPECT_NE(machine.reason().find("b: no answer"), std::string::npos);
}

TEST(StudyMachineTest, RefusedSiteIsOutOfTheRoundAndBackInTheNext) {
  v1::Study study = TwoSites(1);
  study.mutable_training()->set_rounds(2);
  StudyMachine machine(study, {}, {}, kStart);
  PrepareBoth(machine);
  machine.Refuse(kB, "NaN");
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::KIND_UNSPECIFIED);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart), Command::kAggregate);
  machine.Committed(kStart);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::TRAIN);
}

TEST(StudyMachineTest, ExcludedSiteIsOutForGood) {
  StudyMachine machine(TwoSites(1), {}, {}, kStart);
  PrepareBoth(machine);
  machine.Exclude(kB, "another network");
  EXPECT_EQ(machine.Check(kB, v1::Task::TRAIN, 1).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::KIND_UNSPECIFIED);
}

TEST(StudyMachineTest, LateSiteMayStillPrepareAndJoinsInTheNextRound) {
  v1::Study study = TwoSites(1);
  study.mutable_training()->set_rounds(2);
  StudyMachine machine(study, {}, {}, kStart);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(60)), Command::kNone);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::PREPARE);
  machine.Accept(kB);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::KIND_UNSPECIFIED);
  EXPECT_FALSE(machine.Check(kB, v1::Task::TRAIN, 1).ok());
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart), Command::kAggregate);
  machine.Committed(kStart);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::TRAIN);
  EXPECT_TRUE(machine.Check(kB, v1::Task::TRAIN, 2).ok());
}

TEST(StudyMachineTest, SiteThatJoinsAndWithdrawsIsNotInTheOpenRoundEither) {
  StudyMachine machine(TwoSites(1),
                       {.census = {kA, kB}, .joining = {kB}, .prepared = true},
                       {}, kStart);
  machine.Withdraw(kB);
  machine.Accept(kB);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::KIND_UNSPECIFIED);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart), Command::kAggregate);
}

TEST(StudyMachineTest, WithdrawnSiteIsNotWaitedForUntilItsCensusComesAgain) {
  v1::Study study = TwoSites(1);
  study.mutable_training()->set_rounds(3);
  StudyMachine machine(study, {}, {}, kStart);
  PrepareBoth(machine);
  machine.Withdraw(kB);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::PREPARE);
  EXPECT_FALSE(machine.Check(kB, v1::Task::TRAIN, 1).ok());
  for (int round = 1; round <= 2; ++round) {
    machine.Accept(kA);
    ASSERT_EQ(machine.Next(kStart), Command::kAggregate) << round;
    machine.Committed(kStart);
  }
  machine.Accept(kB);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::TRAIN);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart), Command::kNone);
  machine.Accept(kB);
  EXPECT_EQ(machine.Next(kStart), Command::kAggregate);
}

TEST(StudyMachineTest, UpdateOfASiteThatWithdrawsAfterwardsStaysIn) {
  StudyMachine machine(TwoSites(2), {}, {}, kStart);
  PrepareBoth(machine);
  machine.Accept(kB);
  machine.Withdraw(kB);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart), Command::kAggregate);
  EXPECT_TRUE(machine.answered().contains(kB));
}

// A hospital that writes a label differently must not stop the study for all:
// it has until the deadline to correct its manifest.
TEST(StudyMachineTest, PreparationWaitsForAnUnableSiteUntilItsDeadline) {
  StudyMachine machine(TwoSites(2), {}, {}, kStart);
  machine.Accept(kA);
  machine.Withdraw(kB, "its manifest");
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(59)), Command::kNone);
  EXPECT_EQ(machine.waiting(), std::vector<SiteId>{kB});
  EXPECT_EQ(machine.withdrawn().at(kB), "its manifest");
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::PREPARE);
  machine.Accept(kB);
  EXPECT_TRUE(machine.withdrawn().empty());
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(59)), Command::kNone);
  EXPECT_EQ(machine.phase(), v1::StudyStatus::TRAINING);
}

TEST(StudyMachineTest, StudyThatCannotBePreparedInTimeStopsAndSaysWhoAndWhy) {
  StudyMachine machine(TwoSites(2), {}, {}, kStart);
  machine.Accept(kA);
  machine.Withdraw(kB, "its manifest");
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(60)), Command::kEnded);
  EXPECT_NE(machine.reason().find("b: cannot work on the study: its manifest"),
            std::string::npos)
      << machine.reason();
}

TEST(StudyMachineTest, EnoughSitesGoOnWithoutAnUnableOneAfterTheDeadline) {
  StudyMachine machine(TwoSites(1), {}, {}, kStart);
  machine.Accept(kA);
  machine.Withdraw(kB);
  EXPECT_EQ(machine.Next(kStart + absl::Seconds(60)), Command::kNone);
  EXPECT_EQ(machine.phase(), v1::StudyStatus::TRAINING);
  EXPECT_EQ(machine.waiting(), std::vector<SiteId>{kA});
}

// The site's census is in and it withdraws: the census does not count any more.
TEST(StudyMachineTest, CensusOfASiteThatWithdrawsIsOutUntilItComesAgain) {
  StudyMachine machine(TwoSites(2), {}, {}, kStart);
  machine.Accept(kB);
  machine.Withdraw(kB);
  machine.Accept(kA);
  EXPECT_EQ(machine.Next(kStart), Command::kNone);
  EXPECT_EQ(machine.phase(), v1::StudyStatus::PREPARING);
}

TEST(StudyMachineTest, SiteMendedWhileOthersPrepareIsIn) {
  StudyMachine machine(TwoSites(2), {}, {}, kStart);
  machine.Withdraw(kB);
  EXPECT_EQ(machine.Next(kStart), Command::kNone);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::PREPARE);
  PrepareBoth(machine);
  EXPECT_EQ(machine.TaskFor(kB), v1::Task::TRAIN);
}

}  // namespace
}  // namespace hilum
