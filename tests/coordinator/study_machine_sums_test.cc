// SPDX-License-Identifier: Apache-2.0
// Studies with secure aggregation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "coordinator/study_machine.h"
#include "tests/coordinator/sum_site.h"

namespace hilum {
namespace {

using Command = StudyMachine::Command;
using Names = std::vector<std::string>;
using Step = SecAggServer::Step;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1000);
constexpr absl::Duration kStep = absl::Seconds(60);
constexpr absl::Duration kRound = absl::Seconds(3600);
const Names kAll = {"a", "b", "c", "d"};
const Names kThree = {"a", "b", "c"};
const SiteId kA("a"), kD("d");

// Four sites, of which three are enough, with two rounds; time stands where
// now_ puts it.
class SecureStudyMachineTest : public testing::Test {
 protected:
  SecureStudyMachineTest() {
    SecAggContext context{.study_hash = kHash};
    for (const std::string& name : kAll) context.cohort.emplace(name);
    for (const std::string& name : kAll) {
      sites_.emplace(name, std::make_unique<SumSite>(SiteId(name), context));
    }
    Start({});
  }

  v1::Study MakeStudy() const {
    v1::Study study;
    study.set_name("s");
    for (const char* label : {"x", "y"}) study.add_classes(label);
    for (const std::string& name : kAll) study.add_sites(name);
    study.mutable_training()->set_rounds(rounds_);
    study.mutable_aggregation()->set_minimum_sites(minimum_sites_);
    FillStudyDefaults(study);
    return study;
  }

  void Start(const StudyMachine::Progress& progress) {
    machine_ = std::make_unique<StudyMachine>(
        MakeStudy(), progress,
        StudyMachine::SecureSetup{
            .study_hash = kHash, .verifier = &TestVerifier(), .rng = &rng_},
        now_);
  }
  // A study of so many rounds whose census is in.
  void StartTraining(uint32_t rounds = 2) {
    rounds_ = rounds;
    Start({.census = Sites(kAll), .prepared = true});
  }

  static std::set<SiteId> Sites(const Names& names) {
    return {names.begin(), names.end()};
  }
  static std::string IdOf(const StudyMachine& machine) {
    return machine.sum()->id();
  }

  absl::Status Answer(const std::string& name) {
    const SiteId site(name);
    HILUM_RETURN_IF_ERROR(machine_->CheckStep(site, machine_->round()));
    return machine_->OnStep(
        site,
        sites_.at(name)->Answer(machine_->round(),
                                machine_->sum()->StepFor(site), {1, 2, 3}));
  }
  // Moves on; what is to be stored is.
  Command Next() {
    const Command command = machine_->Next(now_);
    if (machine_->HasRecordToStore()) machine_->RecordStored();
    return command;
  }
  // Those sites answer the step that is open, of which each has a task.
  Command Take(const Names& names) {
    for (const std::string& name : names) {
      EXPECT_NE(machine_->TaskFor(SiteId(name)), v1::Task::KIND_UNSPECIFIED)
          << name;
      const absl::Status taken = Answer(name);
      EXPECT_TRUE(taken.ok()) << taken;
    }
    return Next();
  }
  // All answer until it is `step`'s turn.
  void GoTo(Step step) {
    while (machine_->sum()->step() < step) {
      ASSERT_EQ(Take(kAll), Command::kNone);
    }
  }
  // Nobody answers any more, until the step is closed.
  Command LetExpire() {
    now_ = machine_->deadline();
    return Next();
  }
  void Census(const Names& names) {
    for (const std::string& name : names) machine_->Accept(SiteId(name));
  }
  // A whole sum, and what its owner does then.
  void RunSum(const Names& names) {
    for (int step = 1; step <= 4; ++step) {
      ASSERT_EQ(Take(names), Command::kNone) << step;
    }
    ASSERT_EQ(Take(names), Command::kAggregate);
    ASSERT_FALSE(machine_->SumIsLost());
    machine_->Committed(now_);
  }
  // Too few reveal their shares.
  Command LoseInUnmask() {
    GoTo(Step::kUnmask);
    EXPECT_EQ(Take({"a", "b"}), Command::kNone);
    return LetExpire();
  }
  // Too few have vectors.
  Command LoseAttempt() {
    GoTo(Step::kMaskedInput);
    EXPECT_EQ(Take({"a", "b"}), Command::kNone);
    return LetExpire();
  }

  const std::string kHash = std::string(32, 'h');
  uint32_t rounds_ = 2;
  uint32_t minimum_sites_ = 3;
  absl::Time now_ = kStart;
  SeededSecureRng rng_{1, "sums"};
  std::map<std::string, std::unique_ptr<SumSite>> sites_;
  std::unique_ptr<StudyMachine> machine_;
};

TEST_F(SecureStudyMachineTest, GoesFromCensusThroughRoundsToItsEndByItsSums) {
  EXPECT_EQ(machine_->TaskFor(kA), v1::Task::PREPARE);
  EXPECT_EQ(Answer("a").code(), absl::StatusCode::kFailedPrecondition);
  Census(kAll);
  // That a site is ready is not its census.
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
  // Its steps take time of their own.
  for (int step = 0; step < 3; ++step) {
    now_ += kStep / 2;
    ASSERT_EQ(Take(kThree), Command::kNone) << step;
  }
  ASSERT_EQ(Take(kThree), Command::kAggregate);
  machine_->Committed(now_);
  EXPECT_EQ(machine_->phase(), v1::StudyStatus::TRAINING);
  EXPECT_NE(machine_->ExclusionOf(kD), nullptr);
}

TEST_F(SecureStudyMachineTest, TooFewAtTheRoundsDeadlineStopTheStudy) {
  StartTraining();
  ASSERT_EQ(Take({"a", "b"}), Command::kNone);
  EXPECT_EQ(LetExpire(), Command::kEnded);
  EXPECT_THAT(machine_->reason(), HasSubstr("2 of at least 3 sites answered"));
  EXPECT_THAT(machine_->reason(), HasSubstr("c: no answer by the deadline"));
}

TEST_F(SecureStudyMachineTest, ThresholdHoldsWhereTheStudyAsksForLess) {
  minimum_sites_ = 1;
  StartTraining();
  ASSERT_EQ(Take({"a", "b"}), Command::kNone);
  EXPECT_EQ(LetExpire(), Command::kEnded);
}

// What the study asks for it asks of the vectors, not of the keys alone.
TEST_F(SecureStudyMachineTest, SumOfFewerThanTheStudyAsksForIsLost) {
  minimum_sites_ = 4;
  StartTraining();
  const std::string first = IdOf(*machine_);
  GoTo(Step::kMaskedInput);
  ASSERT_EQ(Take(kThree), Command::kNone);
  ASSERT_EQ(LetExpire(), Command::kNone);
  EXPECT_NE(IdOf(*machine_), first);
  EXPECT_EQ(machine_->round(), 1u);
  // A site that has given its vector is in the sum, whatever it does then.
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
  // A sum that has begun takes nobody in.
  machine_->Accept(kD);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::KIND_UNSPECIFIED);
  ASSERT_EQ(Take(kThree), Command::kAggregate);
  EXPECT_EQ(machine_->answered(), Sites(kThree));
  machine_->Committed(now_);
  EXPECT_EQ(machine_->TaskFor(kD), v1::Task::TRAIN);
  RunSum(kAll);
}

TEST_F(SecureStudyMachineTest, KeysOfASiteThatWithdrawsAreNotCounted) {
  StartTraining();
  ASSERT_EQ(Take({"c", "d"}), Command::kNone);
  machine_->Withdraw(kD);
  machine_->Withdraw(SiteId("c"));
  ASSERT_EQ(Take({"a", "b"}), Command::kEnded);
  EXPECT_THAT(machine_->reason(), HasSubstr("2 of at least 3"));
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

// Its keys are in and cannot be given twice: nobody must wait for them.
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
  v1::SubmitSecureStepRequest said =
      sites_.at("d")->Answer(1, machine_->sum()->StepFor(kD), {1, 2, 3});
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
  Start({.census = Sites(kAll), .withdrawn = {kD}, .prepared = true});
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
