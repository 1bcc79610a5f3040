// SPDX-License-Identifier: Apache-2.0
// Tests that an interrupted run ends with the same result.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "sim/engine.h"
#include "sim/prepare_run.h"
#include "tests/support/fake_trainer.h"

namespace hilum {
namespace {

class InProcessEngineTest : public testing::Test {
 protected:
  InProcessEngineTest() {
    std::filesystem::create_directories(folder_);
    EXPECT_TRUE(WriteFileAtomically(Path("study.yaml"),
                                    "name: tiny\n"
                                    "classes: [sick, well]\n"
                                    "arms: [whole]\n"
                                    "cross_validation: {folds: 2}\n"
                                    "model: {trainable: head}\n"
                                    "training: {rounds: 4}\n")
                    .ok());
    std::string manifest = "file,label,patient_id,site\n";
    for (int i = 0; i < 12; ++i) {
      absl::StrAppend(&manifest, i, ".png,", i % 2 == 0 ? "sick" : "well", ",p",
                      i, ",site-", i % 3 == 0 ? "a" : (i % 3 == 1 ? "b" : "c"),
                      "\n");
    }
    EXPECT_TRUE(WriteFileAtomically(Path("manifest.csv"), manifest).ok());
  }
  ~InProcessEngineTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  std::string Text(const std::string& name) const {
    return ReadFile(Path(name)).value_or("");
  }
  absl::StatusOr<RunPlan> Prepare(const std::string& out) const {
    return PrepareRun({.study_path = Path("study.yaml"),
                       .data = Path("manifest.csv"),
                       .out = Path(out)});
  }
  absl::Status Run(const RunPlan& plan, const OnRounds& on_rounds) const {
    return RunInProcess(
        plan, [](const SiteId&) { return std::make_unique<FakeTrainer>(); },
        on_rounds);
  }
  // Runs in a child process, which ends as by a signal once `rounds` are over.
  void RunAndEnd(const std::string& out, int rounds) const {
    const pid_t child = fork();
    if (child == 0) {
      const auto plan = Prepare(out);
      if (!plan.ok()) _exit(1);
      (void)Run(*plan, [&](int done) {
        if (done >= rounds) _exit(7);
      });
      _exit(2);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/engine-", getpid(), "-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(InProcessEngineTest, AnInterruptedRunEndsWithTheSameBits) {
  RunAndEnd("cut", 1);
  RunAndEnd("cut", 2);
  EXPECT_FALSE(FileExists(Path("cut/report.json")));
  const auto cut = Prepare("cut");
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_TRUE(cut->resumed);
  int first = 0;
  const absl::Status ended = Run(*cut, [&](int done) {
    if (first == 0) first = done;
  });
  ASSERT_TRUE(ended.ok()) << ended;
  EXPECT_GE(first, 2);  // not from the beginning

  const auto whole = Prepare("whole");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_FALSE(whole->resumed);
  ASSERT_TRUE(Run(*whole, [](int) {}).ok());
  for (const char* file : {"report.json", "model/whole-final.safetensors"}) {
    ASSERT_FALSE(Text(absl::StrCat("whole/", file)).empty()) << file;
    EXPECT_EQ(Text(absl::StrCat("cut/", file)),
              Text(absl::StrCat("whole/", file)))
        << file;
  }
}

// A trainer whose training fails.
class FailingTrainer final : public FakeTrainer {
 public:
  absl::StatusOr<v1::TrainResponse> Train(const v1::TrainRequest&) override {
    return absl::InvalidArgumentError("no such layer");
  }
};

TEST_F(InProcessEngineTest, AStudyThatStoppedIsNotGoneOnWith) {
  auto plan = Prepare("out");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_FALSE(
      RunInProcess(
          *plan,
          [](const SiteId&) { return std::make_unique<FailingTrainer>(); },
          [](int) {})
          .ok());
  plan = Prepare("out");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const absl::Status again = Run(*plan, [](int) {});
  EXPECT_TRUE(absl::IsFailedPrecondition(again)) << again;
  EXPECT_NE(again.message().find("--force to run it anew"), std::string::npos);
}

TEST_F(InProcessEngineTest, ACompletedStudyIsExportedAgain) {
  const auto plan = Prepare("out");
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_TRUE(Run(*plan, [](int) {}).ok());
  const std::string report = Text("out/report.json");
  std::filesystem::remove(Path("out/report.json"));
  const auto again = Prepare("out");
  ASSERT_TRUE(again.ok()) << again.status();
  const absl::Status ended = Run(*again, [](int) {});
  ASSERT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(Text("out/report.json"), report);
}

// Without the check, sites failed one by one, and a sum "was lost in step
// Unmask".
TEST_F(InProcessEngineTest, MoreSitesThanOpenFilesAreRefusedByNumber) {
  const std::string out =
      absl::StrCat(testing::TempDir(), "/inprocess_", getpid());
  ASSERT_TRUE(MakeDirectories(out).ok());
  const pid_t child = fork();
  if (child == 0) {  // lowers the hard limit, in the child only
    const rlimit few = {200, 200};
    setrlimit(RLIMIT_NOFILE, &few);
    RunPlan plan{.out = out, .sites = std::vector<SimulatedSite>(60)};
    const absl::Status status = RunInProcess(
        plan,
        [](const SiteId&) -> absl::StatusOr<std::unique_ptr<Trainer>> {
          return absl::InternalError("a trainer was made");
        },
        [](int) {});
    _exit(
        WriteFileAtomically(out + "/said", status.ToString(), Durability::kNone)
                .ok()
            ? 0
            : 1);
  }
  int exit_status = 0;
  waitpid(child, &exit_status, 0);
  const std::string said = ReadFile(out + "/said").value_or("");
  for (const char* part : {"RESOURCE_EXHAUSTED", "60 simulated sites", "424",
                           "may have 200", "ulimit -n 424"}) {
    EXPECT_TRUE(absl::StrContains(said, part)) << said;
  }
  EXPECT_FALSE(FileExists(out + "/coordinator"));
}

}  // namespace
}  // namespace hilum
