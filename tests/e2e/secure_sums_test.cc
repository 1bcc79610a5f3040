// SPDX-License-Identifier: Apache-2.0
// Secure aggregation with the real processes: what it gives, what is left of
// it when a site is killed in one of its steps, and what can be found in a
// coordinator's memory and on its disk.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "sim/engine.h"
#include "sim/finished_study.h"
#include "sim/message_yaml.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

// Where site-1 halts, and what becomes of it.
struct Halt {
  int round = 1;
  std::string call;
  std::string when = "before";  // or after
  std::string then = "kill";    // or wait
  bool starts_anew = false;     // once killed
};

// Of sites whose trainers learn nothing, and quickly.
class SecureSumsTest : public EndToEndTest {
 protected:
  RunPlan MakePlan(const std::string& out, int sites, bool secure) {
    RunPlan plan{.out = Path(out)};
    plan.study.set_name("sums");
    for (const char* label : {"sick", "well"}) plan.study.add_classes(label);
    plan.study.add_arms(v1::ARM_WHOLE);
    plan.study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
    plan.study.mutable_cross_validation()->set_folds(2);
    plan.study.mutable_training()->set_rounds(2);
    plan.study.mutable_evaluation()->set_score_bins(16);
    v1::Aggregation& rules = *plan.study.mutable_aggregation();
    rules.set_minimum_sites(3);
    rules.set_secure_aggregation(
        secure ? v1::Aggregation::SECURE_AGGREGATION_ON
               : v1::Aggregation::SECURE_AGGREGATION_OFF);
    // Long, where nobody may be missing.
    rules.set_step_deadline_seconds(sites == 3 ? 60 : 1);
    for (int i = 0; i < sites; ++i) AddSite(plan, absl::StrCat("site-", i));
    FillStudyDefaults(plan.study);
    fs::create_directories(plan.out);
    Write(absl::StrCat(out, "/study.yaml"), MessageToYaml(plan.study));
    return plan;
  }

  void AddSite(RunPlan& plan, const std::string& name) {
    plan.study.add_sites(name);
    SimulatedSite site{.id = SiteId(name),
                       .directory = absl::StrCat(plan.out, "/sites/", name)};
    fs::create_directories(site.directory);
    site.config.set_state_dir(site.directory);
    site.config.set_manifest(absl::StrCat(site.directory, "/manifest.csv"));
    site.config.mutable_trainer()->set_binary(Program("hilum-fake-trainer"));
    ASSERT_TRUE(WriteFileAtomically(site.config.manifest(),
                                    "file,label,patient_id\n")
                    .ok());
    plan.sites.push_back(std::move(site));
  }

  // Runs the real processes, but for site-1, which halts.
  absl::Status RunHalting(const RunPlan& plan, const Halt& halt) {
    const std::string bin = absl::StrCat(plan.out, "/bin");
    fs::create_directories(bin);
    for (const char* name : {"hilum-certs", "hilum-coordinator"}) {
      fs::create_symlink(Program(name), absl::StrCat(bin, "/", name));
    }
    const std::string script = absl::StrCat(
        "#!/bin/sh\ncase \"$*\" in\nserve*/site-1/*)\n",
        Program("hilum-halting-site"), " ", halt.round, " ", halt.call, " ",
        halt.when, " ", halt.then, " ", plan.out, " \"$@\"\n",
        halt.then == "wait" || halt.starts_anew ? "" : "exit 0\n",
        halt.then == "wait" ? "exit $?\n" : "", ";;\nesac\nexec ",
        Program("hilum-site"), " \"$@\"\n");
    EXPECT_TRUE(WriteFileAtomically(absl::StrCat(bin, "/hilum-site"), script,
                                    Durability::kNone, 0755)
                    .ok());
    return RunOverGrpc(plan, bin);
  }

  static FinishedStudy Finished(const RunPlan& plan) {
    auto finished = ReadFinishedStudy(plan.out);
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.value_or(FinishedStudy{});
  }
  // The hash of all tracks' weights.
  static std::string Model(const RunPlan& plan) {
    return fs::path(Finished(plan).global_path).filename();
  }
  static std::string LogOf(const RunPlan& plan, const std::string& name) {
    return ReadFile(absl::StrCat(plan.out, "/logs/", name, ".log"))
        .value_or("");
  }
};

TEST_F(SecureSumsTest, MasksChangeNoBitOfTheModel) {
  std::string models[2];
  for (bool secure : {false, true}) {
    const RunPlan plan = MakePlan(secure ? "on" : "off", 3, secure);
    const absl::Status run = RunHalting(plan, {.call = "nowhere"});
    ASSERT_TRUE(run.ok()) << run;
    models[secure] = Model(plan);
    EXPECT_EQ(Finished(plan).result.rounds.back().contributors.size(), 3u);
  }
  EXPECT_EQ(models[false].size(), 64u);
  EXPECT_EQ(models[false], models[true]);
}

struct Step {
  const char* call;
  const char* when;
  // Of three sites, which all are needed: the round is lost, not tried again.
  bool loses_round = false;
};

constexpr Step kSteps[] = {
    {"keys", "before"},         {"keys", "after"},
    {"shares", "after"},        {"UploadChunk", "after"},
    {"masked", "after"},        {"confirmation", "before"},
    {"confirmation", "after", true}, {"revealed", "before"},
    {"revealed", "after"}};

TEST_F(SecureSumsTest, SiteKilledInAnyStepComesBackAndNothingIsLost) {
  const RunPlan whole = MakePlan("whole", 3, true);
  ASSERT_TRUE(RunHalting(whole, {.call = "nowhere"}).ok());
  for (const Step& step : kSteps) {
    const std::string name = absl::StrCat(step.call, "-", step.when);
    const RunPlan plan = MakePlan(name, 3, true);
    const absl::Status run = RunHalting(
        plan, {.call = step.call, .when = step.when, .starts_anew = true});
    ASSERT_TRUE(run.ok()) << name << ": " << run;
    const FinishedStudy finished = Finished(plan);
    ASSERT_EQ(finished.result.rounds.size(), 2u) << name;
    EXPECT_EQ(finished.result.rounds[0].contributors.size(),
              step.loses_round ? 0u : 3u)
        << name;
    EXPECT_EQ(Model(plan) == Model(whole), !step.loses_round) << name;
  }
}

TEST_F(SecureSumsTest, SiteKilledInAnyStepForGoodLeavesTheOthersTheirRound) {
  for (const Step& step : kSteps) {
    const std::string name = absl::StrCat(step.call, "-", step.when);
    const RunPlan plan = MakePlan(name, 4, true);
    const absl::Status run =
        RunHalting(plan, {.call = step.call, .when = step.when});
    // Who has not given keys is waited for to the round's deadline.
    if (std::string(step.call) == "keys" && std::string(step.when) == "before") {
      continue;
    }
    ASSERT_TRUE(run.ok()) << name << ": " << run;
  }
}

}  // namespace
}  // namespace hilum
