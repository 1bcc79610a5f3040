// SPDX-License-Identifier: Apache-2.0
// Studies with secure aggregation: sites that leave and return, and restarts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/secure_study_machine.h"

namespace hilum {
namespace {

using testing::HasSubstr;

TEST_F(SecureStudyMachineTest, SiteThatLeavesASumIsInTheNextAttemptAgain) {
  StartTraining();
  ASSERT_EQ(Take(kAll), Command::kNone);
  sites_.at("d")->Forget();
  sites_.at("c")->Forget();
  EXPECT_EQ(Take(kAll), Command::kNone);  // c and d say that they leave
  EXPECT_TRUE(machine_->sum()->IsGathering());
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::TRAIN);
  RunSum(kAll);
}

TEST_F(SecureStudyMachineTest, WithdrawnSiteIsNotWaitedForAndComesBackLater) {
  StartTraining();
  ASSERT_EQ(Take(kAll), Command::kNone);
  machine_->Withdraw(kD);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::PREPARE);
  EXPECT_EQ(Answer("d").code(), absl::StatusCode::kFailedPrecondition);
  for (int step = 0; step < 3; ++step) {
    ASSERT_EQ(Take(kThree), Command::kNone);
  }
  // A sum that has begun accepts no site.
  machine_->Accept(kD);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::KIND_UNSPECIFIED);
  ASSERT_EQ(Take(kThree), Command::kAggregate);
  EXPECT_EQ(machine_->answered(), Sites(kThree));
  machine_->Committed(now_);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::TRAIN);
  RunSum(kAll);
}

TEST_F(SecureStudyMachineTest, PreparationWaitsForAnUnableSite) {
  Start({});
  for (const char* name : {"a", "b", "c"}) machine_->Accept(SiteId(name));
  machine_->Withdraw(kD, "its manifest");
  ASSERT_EQ(Take(kThree), Command::kNone);
  EXPECT_TRUE(machine_->sum()->IsGathering());
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::PREPARE);
  machine_->Accept(kD);
  ASSERT_EQ(Take({"d"}), Command::kNone);
  EXPECT_EQ(machine_->sum()->step(), Step::kShareKeys);
}

TEST_F(SecureStudyMachineTest, PreparationGoesOnWithoutItAfterTheDeadline) {
  Start({});
  for (const char* name : {"a", "b", "c", "d"}) machine_->Accept(SiteId(name));
  ASSERT_EQ(Take({"d"}), Command::kNone);  // its keys are in
  machine_->Withdraw(kD);
  ASSERT_EQ(Take(kThree), Command::kNone);
  EXPECT_TRUE(machine_->sum()->IsGathering());
  now_ = machine_->deadline();
  EXPECT_EQ(machine_->Next(now_), Command::kNone);
  EXPECT_EQ(machine_->sum()->step(), Step::kShareKeys);
  EXPECT_THAT(machine_->waiting(), testing::SizeIs(3));
}

TEST_F(SecureStudyMachineTest, KeysOfASiteThatWithdrawsAreNotCounted) {
  StartTraining();
  ASSERT_EQ(Take({"c", "d"}), Command::kNone);
  machine_->Withdraw(kD);
  machine_->Withdraw(SiteId("c"));
  ASSERT_EQ(Take({"a", "b"}), Command::kAggregate);
  EXPECT_TRUE(machine_->SumIsLost());
  EXPECT_THAT(machine_->loss(), HasSubstr("2 of at least 3"));
}

TEST_F(SecureStudyMachineTest, SiteThatWithdrawsWithItsKeysInIsNotWaitedFor) {
  StartTraining();
  ASSERT_EQ(Take({"d"}), Command::kNone);
  machine_->Withdraw(kD);
  RunSum(kThree);
  EXPECT_EQ(machine_->round(), 2u);
}

TEST_F(SecureStudyMachineTest, SiteThatReturnsWhileKeysComeInIsWaitedFor) {
  StartTraining();
  machine_->Withdraw(kD);
  machine_->Accept(kD);
  ASSERT_EQ(Take(kThree), Command::kNone);
  EXPECT_TRUE(machine_->sum()->IsGathering());
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::TRAIN);
  ASSERT_EQ(Take({"d"}), Command::kNone);
  EXPECT_EQ(machine_->sum()->step(), Step::kShareKeys);
}

// The site's keys are in and cannot be given twice: nobody must wait for them.
TEST_F(SecureStudyMachineTest, SiteThatReturnsWithItsKeysInHoldsNobodyUp) {
  StartTraining();
  ASSERT_EQ(Take({"d"}), Command::kNone);
  machine_->Withdraw(kD);
  machine_->Accept(kD);
  EXPECT_THAT(machine_->waiting(), testing::SizeIs(3));
  ASSERT_EQ(Take(kThree), Command::kNone);
  EXPECT_EQ(machine_->sum()->step(), Step::kShareKeys);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::TRAIN);
  ASSERT_EQ(Take(kAll), Command::kNone);
  EXPECT_EQ(machine_->sum()->step(), Step::kMaskedInput);
}

TEST_F(SecureStudyMachineTest, ExcludedSiteTakesNoFurtherStep) {
  StartTraining();
  ASSERT_EQ(Take(kAll), Command::kNone);
  machine_->Exclude(kD, "its officer declined");
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::KIND_UNSPECIFIED);
  EXPECT_EQ(Answer("d").code(), absl::StatusCode::kPermissionDenied);
  ASSERT_EQ(Take(kThree), Command::kNone);
  EXPECT_EQ(machine_->sum()->step(), Step::kMaskedInput);
}

TEST_F(SecureStudyMachineTest, BadAnswerPutsItsSiteOutOfTheAttemptAlone) {
  StartTraining();
  v1::SubmitSecureStepRequest said = Said("d");
  said.mutable_keys()->mutable_signature()->back() ^= 1;
  EXPECT_FALSE(machine_->OnStep(kD, said).ok());
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::KIND_UNSPECIFIED);
  RunSum(kThree);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::TRAIN);
}

TEST_F(SecureStudyMachineTest, VectorIsWaitedForInItsStepAndFromItsSiteOnly) {
  StartTraining();
  EXPECT_FALSE(machine_->CheckVector(kA, 1).ok());
  GoTo(Step::kMaskedInput);
  EXPECT_TRUE(machine_->CheckVector(kA, 1).ok());
  EXPECT_FALSE(machine_->CheckVector(kA, 2).ok());
  ASSERT_EQ(Take({"a"}), Command::kNone);
  EXPECT_FALSE(machine_->CheckVector(kA, 1).ok());
  EXPECT_TRUE(machine_->CheckVector(kD, 1).ok());
}

TEST_F(SecureStudyMachineTest, RestartGoesOnWhereTheTotalsSay) {
  Start({.census = Sites(kThree)});
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::PREPARING);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::PREPARE);
  EXPECT_EQ(machine_->ExclusionOf(kD), nullptr);

  Start({.committed_rounds = 1, .census = Sites(kThree), .prepared = true});
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::TRAINING);
  EXPECT_EQ(machine_->round(), 2u);
  EXPECT_NE(machine_->ExclusionOf(kD), nullptr);

  Start({.committed_rounds = 2, .census = Sites(kThree), .prepared = true});
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::EVALUATING);
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::EVALUATE);

  Start({.committed_rounds = 2,
         .census = Sites(kThree),
         .prepared = true,
         .evaluated = true});
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::COMPLETED);
}

TEST_F(SecureStudyMachineTest, ResumedSumIsTheOneThatWasLeft) {
  StartTraining();
  GoTo(Step::kUnmask);
  const std::string id = IdOf(*machine_);
  const v1::SecureSumRecord record = machine_->sum()->record();
  ASSERT_EQ(Take({"a"}), Command::kNone);

  now_ += absl::Hours(5);
  StartTraining();
  EXPECT_NE(IdOf(*machine_), id);
  ASSERT_TRUE(machine_->Resume(record, now_).ok());
  EXPECT_EQ(IdOf(*machine_), id);
  EXPECT_FALSE(machine_->HasRecordToStore());
  ASSERT_EQ(machine_->Next(now_), Command::kNone);
  EXPECT_EQ(Take(kAll), Command::kAggregate);
}

TEST_F(SecureStudyMachineTest, ResumedSumWaitsForNobodyWhoWithdrew) {
  StartTraining();
  GoTo(Step::kUnmask);
  const v1::SecureSumRecord record = machine_->sum()->record();
  Start({.census = Sites(kAll), .withdrawn = {{kD, ""}}, .prepared = true});
  ASSERT_TRUE(machine_->Resume(record, now_).ok());
  EXPECT_EQ(Take(kThree), Command::kAggregate);
}

TEST_F(SecureStudyMachineTest, RecordOfAnotherRoundIsNotResumed) {
  StartTraining();
  GoTo(Step::kUnmask);
  const v1::SecureSumRecord record = machine_->sum()->record();
  Start({.committed_rounds = 1, .census = Sites(kAll), .prepared = true});
  const std::string id = IdOf(*machine_);
  EXPECT_EQ(machine_->Resume(record, now_).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(IdOf(*machine_), id);
  RunSum(kAll);
}

}  // namespace
}  // namespace hilum
