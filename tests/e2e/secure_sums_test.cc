// SPDX-License-Identifier: Apache-2.0
// Secure aggregation with the real processes: its result, its result after a
// site is killed in one of its steps, and the search of a coordinator's memory
// and disk for an update.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/message_yaml.h"
#include "common/config/study.h"
#include "sim/engine.h"
#include "sim/finished_study.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

constexpr int kRounds = 2;

// Where site-1 halts, and what happens to it.
struct Halt {
  int round = 1;
  std::string call;
  std::string when = "before";  // or after
  std::string then = "kill";    // or wait
  bool starts_anew = false;     // once killed
};

// Studies of sites with fast trainers that learn nothing.
class SecureSumsTest : public EndToEndTest {
 protected:
  RunPlan MakePlan(const std::string& out, int sites, bool secure) {
    RunPlan plan{.out = Path(out)};
    plan.study.set_name("sums");
    for (const char* label : {"sick", "well"}) plan.study.add_classes(label);
    plan.study.add_arms(v1::ARM_WHOLE);
    plan.study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
    plan.study.mutable_cross_validation()->set_folds(2);
    plan.study.mutable_training()->set_rounds(kRounds);
    plan.study.mutable_evaluation()->set_score_bins(16);
    v1::Aggregation& rules = *plan.study.mutable_aggregation();
    rules.set_minimum_sites(3);
    rules.set_secure_aggregation(secure
                                     ? v1::Aggregation::SECURE_AGGREGATION_ON
                                     : v1::Aggregation::SECURE_AGGREGATION_OFF);
    rules.set_step_deadline_seconds(5);
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
    ASSERT_TRUE(
        WriteFileAtomically(site.config.manifest(), "file,label,patient_id\n")
            .ok());
    plan.sites.push_back(std::move(site));
  }

  // Runs the real processes, except that site-1 halts.
  absl::Status RunHalting(const RunPlan& plan, const Halt& halt) {
    const std::string bin = absl::StrCat(plan.out, "/bin");
    fs::create_directories(bin);
    for (const char* name : {"hilum-certs", "hilum-coordinator"}) {
      fs::create_symlink(Program(name), absl::StrCat(bin, "/", name));
    }
    const std::string script = absl::StrCat(
        "#!/bin/sh\ncase \"$*\" in\nserve*/site-1/*)\n",
        Program("hilum-halting-site"), " ", halt.round, " ", halt.call, " ",
        halt.when, " ", halt.then, " ", plan.out, "/sites/site-1 \"$@\"\n",
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
  // Returns the hash of all tracks' weights.
  static std::string Model(const RunPlan& plan) {
    return fs::path(Finished(plan).global_path).filename();
  }
  // Returns how often site-1 started; 2: it was killed and the script restarted
  // it.
  static int Starts(const RunPlan& plan) {
    const std::string log = LogOf(plan, "site-1");
    int starts = 0;
    for (size_t at = 0;
         (at = log.find("of consortium", at)) != std::string::npos; ++at) {
      ++starts;
    }
    return starts;
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

TEST_F(SecureSumsTest, SiteKilledInAnyStepComesBackAndNothingIsLost) {
  const RunPlan whole = MakePlan("whole", 3, true);
  ASSERT_TRUE(RunHalting(whole, {.call = "nowhere"}).ok());
  for (const auto& [call, when] :
       {std::pair{"keys", "before"}, std::pair{"keys", "after"},
        std::pair{"shares", "after"}, std::pair{"UploadChunk", "after"},
        std::pair{"masked", "after"}, std::pair{"confirmation", "before"},
        std::pair{"revealed", "before"}, std::pair{"revealed", "after"}}) {
    const std::string name = absl::StrCat(call, "-", when);
    const RunPlan plan = MakePlan(name, 3, true);
    const absl::Status run =
        RunHalting(plan, {.call = call, .when = when, .starts_anew = true});
    ASSERT_TRUE(run.ok()) << name << ": " << run;
    for (const RoundSummary& round : Finished(plan).result.rounds) {
      EXPECT_EQ(round.contributors.size(), 3u) << name << round.round;
    }
    EXPECT_EQ(Model(plan), Model(whole)) << name;
    EXPECT_EQ(Starts(plan), 2) << name;
  }
}

// Its share of the others' secrets is lost with it, and the others have
// revealed their shares: this round must not have a second sum.
TEST_F(SecureSumsTest, SiteKilledBetweenConfirmAndUnmaskCostsThreeARound) {
  const RunPlan plan = MakePlan("lost", 3, true);
  const absl::Status run = RunHalting(
      plan, {.call = "confirmation", .when = "after", .starts_anew = true});
  ASSERT_TRUE(run.ok()) << run;
  const FinishedStudy finished = Finished(plan);
  ASSERT_EQ(finished.result.rounds.size(), 2u);
  EXPECT_EQ(Starts(plan), 2);
  EXPECT_EQ(finished.result.rounds[0].contributors.size(), 0u);
  EXPECT_EQ(finished.result.rounds[1].contributors.size(), 3u);
  EXPECT_THAT(LogOf(plan, "coordinator"), HasSubstr("round 1 changes nothing"));
}

TEST_F(SecureSumsTest, SiteKilledForGoodLeavesTheOthersTheirSum) {
  for (const auto& [call, sites_in_sum] :
       {std::pair{"shares", 3}, std::pair{"masked", 3},
        std::pair{"confirmation", 4}, std::pair{"revealed", 4}}) {
    const RunPlan plan = MakePlan(call, 4, true);
    const absl::Status run =
        RunHalting(plan, {.round = kRounds + 1, .call = call});
    ASSERT_TRUE(run.ok()) << call << ": " << run;
    const v1::EvaluationTotals totals = Finished(plan).result.evaluation_totals;
    EXPECT_EQ(totals.sites_size(), sites_in_sum) << call;
    // FakeTrainer: ten cases of each class in each fold, all of them right.
    EXPECT_EQ(totals.tracks(0).confusion(0), 10u * sites_in_sum) << call;
  }
}

// Searches the coordinator while site-1 waits.
class SearchTest : public SecureSumsTest {
 protected:
  // Returns pieces of 64 bytes each, from all of site-1's encoded update.
  static std::vector<std::string> PiecesOfUpdate(const RunPlan& plan) {
    std::string update;
    for (const auto& entry : fs::directory_iterator(
             absl::StrCat(plan.out, "/sites/site-1/spool"))) {
      if (entry.path().extension().empty()) {
        update = ReadFile(entry.path()).value_or("");
      }
    }
    std::vector<std::string> pieces;
    for (size_t at = 0; at + 64 <= update.size(); at += 256) {
      pieces.push_back(update.substr(at, 64));
    }
    return pieces;
  }

  static size_t CountIn(absl::string_view bytes,
                        const std::vector<std::string>& pieces) {
    return static_cast<size_t>(std::count_if(
        pieces.begin(), pieces.end(), [&](const std::string& piece) {
          return memmem(bytes.data(), bytes.size(), piece.data(),
                        piece.size()) != nullptr;
        }));
  }

  static size_t CountOnDisk(const RunPlan& plan,
                            const std::vector<std::string>& pieces) {
    size_t found = 0;
    for (const auto& entry : fs::recursive_directory_iterator(
             absl::StrCat(plan.out, "/coordinator/state"))) {
      if (!entry.is_regular_file()) continue;
      found += CountIn(ReadFile(entry.path()).value_or(""), pieces);
    }
    return found;
  }

  // Returns the /proc folder of this run's coordinator.
  static std::string ProcessOf(const RunPlan& plan) {
    const std::string config =
        absl::StrCat(plan.out, "/coordinator/coordinator.yaml");
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string command =
          ReadFile(entry.path() / "cmdline").value_or("");
      if (command.find(config) != std::string::npos &&
          command.find(std::string("serve\0", 6)) != std::string::npos) {
        return entry.path();
      }
    }
    return "";
  }

  // Returns all memory that the process can read, except the kernel's mappings.
  static std::string MemoryOf(const std::string& process) {
    std::ifstream memory(process + "/mem", std::ios::binary);
    std::string all, line;
    std::ifstream maps(process + "/maps");
    while (std::getline(maps, line)) {
      uint64_t begin = 0, end = 0;
      char access[5] = {};
      if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access) != 3 ||
          access[0] != 'r' || line.find("[v") != std::string::npos) {
        continue;
      }
      const size_t old = all.size();
      all.resize(old + (end - begin));
      memory.clear();
      memory.seekg(static_cast<std::streamoff>(begin));
      memory.read(all.data() + old, static_cast<std::streamsize>(end - begin));
      all.resize(old + static_cast<size_t>(
                           std::max<std::streamsize>(memory.gcount(), 0)));
    }
    return all;
  }

  struct Found {
    size_t pieces = 0;  // searched for
    size_t on_disk = 0, in_memory = 0;
    bool read_memory = false;  // found something that must be there
  };

  // Runs the plan, and searches once site-1 has halted and `ready` is true.
  Found Search(const RunPlan& plan, const Halt& halt,
               const std::function<bool()>& ready) {
    Found found;
    std::thread searcher([&] {
      const std::string halted = absl::StrCat(plan.out, "/sites/site-1/halted");
      for (int i = 0; i < 3000 && !(FileExists(halted) && ready()); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      const std::vector<std::string> pieces = PiecesOfUpdate(plan);
      found.pieces = pieces.size();
      found.on_disk = CountOnDisk(plan, pieces);
      const std::string memory = MemoryOf(ProcessOf(plan));
      found.in_memory = CountIn(memory, pieces);
      found.read_memory =
          memory.find(std::string("BEGIN PRIVATE KEY")) != std::string::npos ||
          memory.find(plan.out + "/coordinator/state") != std::string::npos;
      EXPECT_TRUE(
          WriteFileAtomically(absl::StrCat(plan.out, "/sites/site-1/go"), "")
              .ok());
    });
    const absl::Status run = RunHalting(plan, halt);
    searcher.join();
    EXPECT_TRUE(run.ok()) << run;
    return found;
  }
};

TEST_F(SearchTest, CoordinatorHoldsNothingOfAnUpdateUnderMasks) {
  const RunPlan plan = MakePlan("masked", 3, true);
  const std::string uploads =
      absl::StrCat(plan.out, "/coordinator/state/uploads");
  // The round is over, its model is there, and site-1 still has its update.
  const Found found =
      Search(plan, {.call = "revealed", .when = "after", .then = "wait"}, [&] {
        return LogOf(plan, "site-0").find("round 1 of 2") !=
                   std::string::npos &&
               fs::is_empty(uploads);
      });
  EXPECT_GT(found.pieces, 10u);
  EXPECT_TRUE(found.read_memory);
  EXPECT_EQ(found.in_memory, 0u);
  EXPECT_EQ(found.on_disk, 0u);
}

// The same search finds an update that is there.
TEST_F(SearchTest, CoordinatorHoldsTheWholeUpdateWithoutMasks) {
  const RunPlan plan = MakePlan("plain", 3, false);
  const Found found =
      Search(plan, {.call = "SubmitUpdate", .when = "before", .then = "wait"},
             [] { return true; });
  EXPECT_GT(found.pieces, 10u);
  EXPECT_TRUE(found.read_memory);
  EXPECT_EQ(found.on_disk, found.pieces);
}

}  // namespace
}  // namespace hilum
