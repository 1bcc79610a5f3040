// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file.h"
#include "common/config/study.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class TrainerProcessTest : public testing::Test {
 protected:
  TrainerProcessTest() {
    std::string name = testing::TempDir() + "/trainer-process-XXXXXX";
    state_ = mkdtemp(name.data());
    fs::create_directories(state_ + "/trainer");
    fs::create_directories(state_ + "/spool");
    auto launcher =
        TrainerLauncher::Start(HILUM_BIN_DIR "/hilum-fake-trainer", {});
    EXPECT_TRUE(launcher.ok()) << launcher.status();
    launcher_ = *std::move(launcher);
  }
  ~TrainerProcessTest() override { fs::remove_all(state_); }

  TrainerProcess Make() {
    return TrainerProcess(
        *launcher_, state_ + "/trainer",
        [this](absl::string_view line) { log_ += std::string(line) + "\n"; });
  }

  v1::PrepareRequest PrepareRequest(const std::string& name = "s") const {
    v1::Study study;
    study.set_name(name);
    study.add_classes("a");
    study.add_classes("b");
    study.mutable_model()->set_architecture("hilum_small");
    study.mutable_training()->set_rounds(1);
    study.add_sites("one");
    FillStudyDefaults(study);
    v1::PrepareRequest request;
    request.set_study(SerializeStudy(study));
    request.set_work_dir(state_);
    request.set_notes_dir(state_ + "/" + name);
    fs::create_directories(request.notes_dir());
    return request;
  }

  std::string Text(const std::string& name) const {
    return ReadFile(state_ + "/" + name).value_or("");
  }

  // Returns the pid of the running trainer: a child of the launcher, which is a
  // child of this process. -1: there is none.
  static pid_t TrainerPid() {
    std::map<pid_t, pid_t> parents;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      int pid = 0;
      if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
      const std::string stat =
          ReadFile(entry.path().string() + "/stat").value_or("");
      // PID (NAME) STATE PARENT ...
      std::istringstream rest(stat.substr(stat.find(')') + 1));
      std::string state;
      rest >> state >> parents[pid];
    }
    for (const auto& [pid, parent] : parents) {
      const auto launcher = parents.find(parent);
      if (launcher != parents.end() && launcher->second == getpid()) return pid;
    }
    return -1;
  }

  static void KillTrainer() {
    const pid_t pid = TrainerPid();
    ASSERT_GT(pid, 0);
    kill(pid, SIGKILL);
  }

  v1::TrainRequest TrainRequest() const {
    v1::TrainRequest request;
    request.set_round(1);
    request.set_delta_path(state_ + "/spool/delta");
    return request;
  }

  std::string state_;
  std::unique_ptr<TrainerLauncher> launcher_;
  std::string log_;
};

TEST_F(TrainerProcessTest, WhatTheTrainerWritesIsMovedToItsPlace) {
  TrainerProcess trainer = Make();
  const auto prepared = trainer.Prepare(PrepareRequest());
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const auto trained = trainer.Train(TrainRequest());
  ASSERT_TRUE(trained.ok()) << trained.status();
  EXPECT_GT(fs::file_size(state_ + "/spool/delta"), 0u);
  EXPECT_EQ(Text("s/rejected.csv"), "s");
  v1::EvaluateRequest evaluate;
  evaluate.set_predictions_path(state_ + "/s/predictions.csv");
  ASSERT_TRUE(trainer.Evaluate(evaluate).ok());
  EXPECT_EQ(Text("s/predictions.csv"), "s");
  EXPECT_TRUE(fs::is_empty(state_ + "/trainer"));
}

// A trainer that died reads the cases again, and writes its notes again.
TEST_F(TrainerProcessTest, NotesOfOneStudyAreNotPublishedAsTheNextOnes) {
  TrainerProcess trainer = Make();
  ASSERT_TRUE(trainer.Prepare(PrepareRequest("one")).ok());
  KillTrainer();
  ASSERT_TRUE(trainer.Train(TrainRequest()).ok());
  EXPECT_THAT(log_, HasSubstr("loading the cases again"));
  v1::PrepareRequest bad = PrepareRequest("two");
  bad.set_study("these bytes are no study");
  ASSERT_FALSE(trainer.Prepare(bad).ok());
  EXPECT_EQ(Text("one/rejected.csv"), "one");
  EXPECT_EQ(Text("two/rejected.csv"), "");
}

TEST_F(TrainerProcessTest, ALinkIsNotTakenForWhatTheTrainerWrote) {
  TrainerProcess trainer = Make();
  ASSERT_TRUE(WriteFileAtomically(state_ + "/approval", "no").ok());
  fs::create_symlink(state_ + "/approval",
                     state_ + "/trainer/rejected_masks.csv");
  const auto prepared = trainer.Prepare(PrepareRequest());
  EXPECT_EQ(prepared.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(prepared.status().message()),
              HasSubstr("something else than a file"));
  EXPECT_FALSE(FileExists(state_ + "/s/rejected_masks.csv"));
}

// The trainer dies after printing lines that look like the gateway's.
TEST_F(TrainerProcessTest, WhatTheTrainerPrintsIsInTheLogAsItsOwn) {
  const std::string script = state_ + "/hostile";
  ASSERT_TRUE(
      WriteFileAtomically(script,
                          "#!/bin/sh\nprintf '2026-12-01T00:00:00Z study "
                          "approved\\033[2J\\n' >&2\n",
                          Durability::kNone, 0700)
          .ok());
  auto launcher = TrainerLauncher::Start(script, {});
  ASSERT_TRUE(launcher.ok()) << launcher.status();
  absl::Mutex mutex;
  std::string log;
  TrainerProcess trainer(**launcher, state_ + "/trainer",
                         [&](absl::string_view line) {
                           absl::MutexLock lock(&mutex);
                           log += std::string(line) + "\n";
                         });
  EXPECT_EQ(trainer.Prepare(PrepareRequest()).status().code(),
            absl::StatusCode::kInternal);
  absl::MutexLock lock(&mutex);
  EXPECT_THAT(log,
              testing::ContainsRegex("trainer [0-9]+: 2026-12-01T00:00:00Z "
                                     "study approved.x1B.2J\n"));
  EXPECT_THAT(log, testing::Not(HasSubstr("\n2026")));
}

// The trainer may keep a descriptor of what it wrote.
TEST_F(TrainerProcessTest, NotesAreCopiesThatTheTrainerCannotChange) {
  TrainerProcess trainer = Make();
  const std::string own = state_ + "/trainer/rejected_masks.csv";
  ASSERT_TRUE(WriteFileAtomically(own, "row,file,label,reason\n").ok());
  const ScopedFd kept(open(own.c_str(), O_RDWR | O_CLOEXEC));
  const auto prepared = trainer.Prepare(PrepareRequest());
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  ASSERT_TRUE(WriteAt(kept.get(), 0, "forged", "").ok());
  EXPECT_EQ(Text("s/rejected_masks.csv"), "row,file,label,reason\n");
}

TEST_F(TrainerProcessTest, EachStudyHasAProcessOfItsOwn) {
  TrainerProcess trainer = Make();
  ASSERT_TRUE(trainer.Prepare(PrepareRequest()).ok());
  EXPECT_EQ(log_, "");
  ASSERT_TRUE(trainer.Prepare(PrepareRequest()).ok());
  EXPECT_THAT(log_, HasSubstr("has done its part"));
  EXPECT_TRUE(trainer.Train(TrainRequest()).ok());
}

TEST_F(TrainerProcessTest, AfterStopEveryCallIsCancelled) {
  TrainerProcess trainer = Make();
  ASSERT_TRUE(trainer.Prepare(PrepareRequest()).ok());
  trainer.Stop();
  EXPECT_EQ(trainer.Train(TrainRequest()).status().code(),
            absl::StatusCode::kCancelled);
}

// A signal to the whole process group (a terminal's Ctrl-C, systemd) must not
// look like a trainer that failed.
TEST_F(TrainerProcessTest, ATrainerIsEndedByItsGatewayAlone) {
  TrainerProcess trainer = Make();
  ASSERT_TRUE(trainer.Prepare(PrepareRequest()).ok());
  for (int signal : {SIGINT, SIGTERM}) kill(TrainerPid(), signal);
  EXPECT_TRUE(trainer.Train(TrainRequest()).ok());
  EXPECT_EQ(log_, "");
}

TEST_F(TrainerProcessTest, AnEndThatWasAskedForIsNoFaultInTheLog) {
  {
    TrainerProcess trainer = Make();
    ASSERT_TRUE(trainer.Prepare(PrepareRequest()).ok());
    trainer.Stop();
  }
  {
    TrainerProcess trainer = Make();
    ASSERT_TRUE(trainer.Prepare(PrepareRequest()).ok());
  }
  EXPECT_THAT(log_, Not(HasSubstr("signal")));
  EXPECT_THAT(log_, Not(HasSubstr("killed")));
}

}  // namespace
}  // namespace hilum
