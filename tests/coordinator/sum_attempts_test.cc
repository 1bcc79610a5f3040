// SPDX-License-Identifier: Apache-2.0
// Studies with secure aggregation: sums that succeed and sums that are lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/secure_study_machine.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(SecureStudyMachineTest, GoesFromCensusThroughRoundsToItsEndByItsSums) {
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::PREPARE);
  EXPECT_EQ(Answer("a").code(), absl::StatusCode::kFailedPrecondition);
  Census(kAll);
  // A site's message that it is ready is not its census.
  EXPECT_EQ(machine_->Next(now_), Command::kNone);
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::PREPARE);
  std::set<std::string> ids = {IdOf(*machine_)};
  RunSum(kAll);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::TRAINING);
  for (uint32_t round : {1, 2}) {
    EXPECT_EQ(machine_->round(), round);
    EXPECT_EQ(machine_->TaskFor(kA), v1::Task::TRAIN);
    ids.insert(IdOf(*machine_));
    RunSum(kAll);
  }
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::EVALUATE);
  ids.insert(IdOf(*machine_));
  RunSum(kAll);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::COMPLETED);
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::KIND_UNSPECIFIED);
  EXPECT_EQ(ids.size(), 4u);
}

TEST_F(SecureStudyMachineTest, ClosedSumTakesNoAnswersAndGivesNoTasks) {
  StartTraining();
  GoTo(Step::kUnmask);
  ASSERT_EQ(Take(kAll), Command::kAggregate);
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::KIND_UNSPECIFIED);
  EXPECT_EQ(machine_->CheckStep(kA, 1).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(machine_->Next(now_), Command::kNone);
}

TEST_F(SecureStudyMachineTest, NobodyIsAskedToRevealBeforeTheRecordIsStored) {
  StartTraining();
  GoTo(Step::kConfirm);
  for (const std::string& name : kAll) ASSERT_TRUE(Answer(name).ok());
  ASSERT_EQ(machine_->Next(now_), Command::kNone);
  EXPECT_TRUE(machine_->HasRecordToStore());
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::KIND_UNSPECIFIED);
  machine_->RecordStored();
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::TRAIN);
}

TEST_F(SecureStudyMachineTest, SiteMissingFromTheCensusSumIsOutOfTheStudy) {
  Census(kAll);
  GoTo(Step::kMaskedInput);
  ASSERT_EQ(Take(kThree), Command::kNone);
  ASSERT_EQ(LetExpire(), Command::kNone);
  ASSERT_EQ(Take(kThree), Command::kNone);
  ASSERT_EQ(Take(kThree), Command::kAggregate);
  machine_->Committed(now_);
  ASSERT_NE(machine_->ExclusionOf(kD), nullptr);
  EXPECT_THAT(*machine_->ExclusionOf(kD), HasSubstr("census was summed"));
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::KIND_UNSPECIFIED);
  EXPECT_EQ(machine_->Check(kD, v1::Task::PREPARE, 0).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(machine_->CheckStep(kD, 1).code(),
            absl::StatusCode::kPermissionDenied);
  RunSum(kThree);
  EXPECT_EQ(machine_->round(), 2u);
}

TEST_F(SecureStudyMachineTest, SumBeginsAtTheRoundsDeadlineWithThoseWhoCame) {
  Census(kThree);
  ASSERT_EQ(Take(kThree), Command::kNone);
  EXPECT_EQ(machine_->deadline(), kStart + kRound);
  now_ = kStart + kRound - absl::Seconds(1);
  ASSERT_EQ(machine_->Next(now_), Command::kNone);
  EXPECT_TRUE(machine_->sum()->IsGathering());
  ASSERT_EQ(LetExpire(), Command::kNone);
  // The sum's steps have deadlines of their own.
  for (int step = 0; step < 3; ++step) {
    now_ += kStep / 2;
    ASSERT_EQ(Take(kThree), Command::kNone) << step;
  }
  ASSERT_EQ(Take(kThree), Command::kAggregate);
  machine_->Committed(now_);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::TRAINING);
  EXPECT_NE(machine_->ExclusionOf(kD), nullptr);
}

TEST_F(SecureStudyMachineTest, TooFewAtTheRoundsDeadlineCostItAndNotTheStudy) {
  StartTraining();
  ASSERT_EQ(Take({"a", "b"}), Command::kNone);
  ASSERT_EQ(LetExpire(), Command::kAggregate);
  EXPECT_TRUE(machine_->SumIsLost());
  EXPECT_THAT(machine_->loss(), HasSubstr("2 of at least 3 sites answered"));
  EXPECT_THAT(machine_->loss(), HasSubstr("c: no answer by the deadline"));
  machine_->Committed(now_);
  EXPECT_FALSE(machine_->SumIsLost());
  EXPECT_EQ(machine_->round(), 2u);
  RunSum(kAll);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::EVALUATING);
}

TEST_F(SecureStudyMachineTest, ThirdRoundOfTooFewInARowStopsTheStudy) {
  StartTraining(/*rounds=*/9);
  ASSERT_EQ(LoseInUnmask(), Command::kAggregate);  // counts too
  machine_->Committed(now_);
  ASSERT_EQ(LetExpire(), Command::kAggregate);
  machine_->Committed(now_);
  EXPECT_EQ(LetExpire(), Command::kEnded);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::STOPPED);
  EXPECT_THAT(machine_->reason(),
              HasSubstr("round 3: its masked sum was lost before it began: 0 "
                        "of at least 3 sites answered"));
}

TEST_F(SecureStudyMachineTest, TooFewForTheCensusOrTheEvaluationStopTheStudy) {
  Census({"a", "b"});
  ASSERT_EQ(Take({"a", "b"}), Command::kNone);
  EXPECT_EQ(LetExpire(), Command::kEnded);
  EXPECT_THAT(machine_->reason(), HasSubstr("round 0: 2 of at least 3 sites"));
  Start({.committed_rounds = 2, .census = Sites(kAll), .prepared = true});
  EXPECT_EQ(LetExpire(), Command::kEnded);
  EXPECT_THAT(machine_->reason(), HasSubstr("round 3: 0 of at least 3 sites"));
}

TEST_F(SecureStudyMachineTest, ThresholdHoldsWhereTheStudyAsksForLess) {
  minimum_sites_ = 1;
  StartTraining();
  ASSERT_EQ(Take({"a", "b"}), Command::kNone);
  EXPECT_EQ(LetExpire(), Command::kAggregate);
  EXPECT_TRUE(machine_->SumIsLost());
}

// The study's minimum holds for the vectors, not for the keys alone.
TEST_F(SecureStudyMachineTest, SumOfFewerThanTheStudyAsksForIsLost) {
  minimum_sites_ = 4;
  StartTraining();
  const std::string first = IdOf(*machine_);
  GoTo(Step::kMaskedInput);
  ASSERT_EQ(Take(kThree), Command::kNone);
  ASSERT_EQ(LetExpire(), Command::kNone);
  EXPECT_NE(IdOf(*machine_), first);
  EXPECT_EQ(machine_->round(), 1u);
  // A site that has given its vector is in the sum, even if it leaves then.
  GoTo(Step::kConfirm);
  ASSERT_EQ(Take(kThree), Command::kNone);
  ASSERT_EQ(LetExpire(), Command::kNone);
  EXPECT_EQ(Take(kThree), Command::kAggregate);
  EXPECT_FALSE(machine_->SumIsLost());
  EXPECT_EQ(machine_->answered().size(), 4u);
}

TEST_F(SecureStudyMachineTest, LostAttemptIsFollowedByAnotherInItsRound) {
  StartTraining();
  const std::string first = IdOf(*machine_);
  ASSERT_EQ(LoseAttempt(), Command::kNone);
  EXPECT_NE(IdOf(*machine_), first);
  EXPECT_EQ(machine_->round(), 1u);
  EXPECT_EQ(machine_->deadline(), kStart + kRound);
  EXPECT_THAT(machine_->TakeLostVectors(),
              ElementsAre(testing::Key(kA), testing::Key(SiteId("b"))));
  EXPECT_THAT(machine_->TakeLostVectors(), IsEmpty());
  RunSum(kAll);
  EXPECT_EQ(machine_->round(), 2u);
}

TEST_F(SecureStudyMachineTest, EighthLostAttemptStopsTheStudy) {
  StartTraining();
  for (int attempt = 1; attempt <= 7; ++attempt) {
    ASSERT_EQ(LoseAttempt(), Command::kNone) << attempt;
  }
  EXPECT_EQ(LoseAttempt(), Command::kEnded);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::STOPPED);
  EXPECT_THAT(machine_->reason(), HasSubstr("round 1: 8 attempts"));
  EXPECT_THAT(machine_->reason(), HasSubstr("in step MaskedInput"));
}

TEST_F(SecureStudyMachineTest, AttemptsAreCountedInEachRoundAnew) {
  StartTraining(/*rounds=*/3);
  for (uint32_t round : {1, 2}) {
    ASSERT_EQ(machine_->round(), round);
    for (int attempt = 1; attempt <= 7; ++attempt) {
      ASSERT_EQ(LoseAttempt(), Command::kNone) << attempt;
    }
    RunSum(kAll);
  }
}

TEST_F(SecureStudyMachineTest, AttemptLostAfterTheRoundsDeadlineIsTheLast) {
  StartTraining();
  now_ = kStart + kRound - kStep;
  EXPECT_EQ(LoseAttempt(), Command::kEnded);
  EXPECT_THAT(machine_->reason(), HasSubstr("round 1: 1 attempts"));
}

TEST_F(SecureStudyMachineTest, SumLostInUnmaskCostsTheRoundAndTheNextOneOpens) {
  StartTraining();
  const std::string first = IdOf(*machine_);
  ASSERT_EQ(LoseInUnmask(), Command::kAggregate);
  EXPECT_TRUE(machine_->SumIsLost());
  EXPECT_THAT(machine_->loss(), HasSubstr("in step Unmask"));
  EXPECT_EQ(machine_->TakeLostVectors().size(), 4u);
  machine_->Committed(now_);
  EXPECT_FALSE(machine_->SumIsLost());
  EXPECT_EQ(machine_->round(), 2u);
  EXPECT_NE(IdOf(*machine_), first);
  RunSum(kAll);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::EVALUATING);
}

TEST_F(SecureStudyMachineTest, ThirdRoundLostInARowStopsTheStudy) {
  StartTraining(/*rounds=*/9);
  for (int round = 1; round <= 2; ++round) {
    ASSERT_EQ(LoseInUnmask(), Command::kAggregate);
    machine_->Committed(now_);
  }
  RunSum(kAll);
  for (int round = 4; round <= 5; ++round) {
    ASSERT_EQ(LoseInUnmask(), Command::kAggregate);
    machine_->Committed(now_);
  }
  EXPECT_EQ(LoseInUnmask(), Command::kEnded);
  EXPECT_THAT(machine_->reason(), HasSubstr("round 6"));
  EXPECT_THAT(machine_->reason(), HasSubstr("as those of the rounds before"));
}

TEST_F(SecureStudyMachineTest, RoundsLostBeforeARestartCount) {
  rounds_ = 9;
  Start({.committed_rounds = 2,
         .lost_rounds = 2,
         .census = Sites(kAll),
         .prepared = true});
  EXPECT_EQ(LoseInUnmask(), Command::kEnded);
}

TEST_F(SecureStudyMachineTest, CensusLostInUnmaskStopsTheStudy) {
  Census(kAll);
  EXPECT_EQ(LoseInUnmask(), Command::kEnded);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::STOPPED);
  EXPECT_THAT(machine_->reason(), HasSubstr("sites take part in it once only"));
}

TEST_F(SecureStudyMachineTest, EvaluationLostInUnmaskStopsTheStudy) {
  Start({.committed_rounds = 2, .census = Sites(kAll), .prepared = true});
  ASSERT_EQ(machine_->phase(), v1::StudyStatus::EVALUATING);
  EXPECT_EQ(LoseInUnmask(), Command::kEnded);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::STOPPED);
}

TEST_F(SecureStudyMachineTest, WrongSharesThatItsOwnerFindsCostTheRound) {
  StartTraining();
  GoTo(Step::kUnmask);
  ASSERT_EQ(Take(kAll), Command::kAggregate);
  machine_->LoseSum("shares are wrong");
  EXPECT_TRUE(machine_->SumIsLost());
  machine_->Committed(now_);
  EXPECT_EQ(machine_->round(), 2u);
}

}  // namespace
}  // namespace hilum
