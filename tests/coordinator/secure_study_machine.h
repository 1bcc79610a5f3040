// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_SECURE_STUDY_MACHINE_H_
#define HILUM_TESTS_COORDINATOR_SECURE_STUDY_MACHINE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/secagg/chain.h"
#include "coordinator/study_machine.h"
#include "tests/coordinator/sum_site.h"

namespace hilum {

// The machine of a study with secure aggregation and its four sites, of which
// three are enough. now_ is the time.
class SecureStudyMachineTest : public testing::Test {
 protected:
  using Command = StudyMachine::Command;
  using Names = std::vector<std::string>;
  using Step = SecAggServer::Step;

  static constexpr absl::Duration kStep = absl::Seconds(60);
  static constexpr absl::Duration kRound = absl::Seconds(3600);
  inline static const absl::Time kStart = absl::FromUnixSeconds(1000);
  inline static const Names kAll = {"a", "b", "c", "d"};
  inline static const Names kThree = {"a", "b", "c"};
  inline static const SiteId kA{"a"}, kD{"d"};

  SecureStudyMachineTest() {
    for (const std::string& name : kAll) {
      sites_.emplace(name, std::make_unique<SumSite>(SiteId(name)));
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
        SecureSetup{.study_hash = kHash,
                    .verifier = &TestVerifier(),
                    .rng = &rng_,
                    .chain = FirstChain(kHash, std::string(32, 'm'))},
        now_);
  }
  // Starts a study of so many rounds whose census is in.
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

  v1::SubmitSecureStepRequest Said(const std::string& name) {
    const SecureSum& sum = *machine_->sum();
    return sites_.at(name)->Answer(sum.context(), sum.StepFor(SiteId(name)),
                                   {1, 2, 3});
  }
  absl::Status Answer(const std::string& name) {
    const SiteId site(name);
    HILUM_RETURN_IF_ERROR(machine_->CheckStep(site, machine_->round()));
    return machine_->OnStep(site, Said(name));
  }
  // Moves the machine on and stores its record, where there is one to store.
  Command Next() {
    const Command command = machine_->Next(now_);
    if (machine_->HasRecordToStore()) machine_->RecordStored();
    return command;
  }
  // Lets these sites answer the open step, for which each has a task.
  Command Take(const Names& names) {
    for (const std::string& name : names) {
      EXPECT_NE(machine_->TaskFor(SiteId(name)), v1::Task::KIND_UNSPECIFIED)
          << name;
      const absl::Status taken = Answer(name);
      EXPECT_TRUE(taken.ok()) << taken;
    }
    return Next();
  }
  // Lets all sites answer until `step` is open.
  void GoTo(Step step) {
    while (machine_->sum()->step() < step) {
      ASSERT_EQ(Take(kAll), Command::kNone);
    }
  }
  // Lets time pass without answers until the step is closed.
  Command LetExpire() {
    now_ = machine_->deadline();
    return Next();
  }
  void Census(const Names& names) {
    for (const std::string& name : names) machine_->Accept(SiteId(name));
  }
  // Runs a whole sum, and the owner's part after it.
  void RunSum(const Names& names) {
    for (int step = 1; step <= 4; ++step) {
      ASSERT_EQ(Take(names), Command::kNone) << step;
    }
    ASSERT_EQ(Take(names), Command::kAggregate);
    ASSERT_FALSE(machine_->SumIsLost());
    machine_->Committed(now_);
  }
  // Too few sites reveal their shares.
  Command LoseInUnmask() {
    GoTo(Step::kUnmask);
    EXPECT_EQ(Take({"a", "b"}), Command::kNone);
    return LetExpire();
  }
  // Too few sites have vectors.
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

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_SECURE_STUDY_MACHINE_H_
