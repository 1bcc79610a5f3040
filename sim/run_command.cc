// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/program.h"
#include "common/cli/progress.h"
#include "common/cli/service.h"
#include "sim/baselines.h"
#include "sim/child_process.h"
#include "sim/commands.h"
#include "sim/engine.h"
#include "sim/prepare_run.h"
#include "sim/result_table.h"
#include "site_agent/trainer/torch_trainer.h"

namespace hilum {
namespace {

struct RunArguments {
  RunOptions options;
  uint64_t seed = 0;
};

// Returns the folder of this program, which has the other programs too.
absl::StatusOr<std::string> OwnFolder() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return ErrnoStatus(error.value(), "cannot read", "/proc/self/exe");
  return self.parent_path().string();
}

absl::Status RunPlanned(const RunPlan& plan, const std::string& transport) {
  if (transport == "grpc") {
    HILUM_ASSIGN_OR_RETURN(std::string binaries, OwnFolder());
    return RunOverGrpc(plan, binaries);
  }
  Progress progress("Rounds", static_cast<int>(plan.study.training().rounds()),
                    RealClock());
  return RunInProcess(
      plan,
      [](const SiteId& site) {
        return std::make_unique<TorchTrainer>(TorchTrainerOptions{
            .log = [name = site.name()](const std::string& line) {
              absl::FPrintF(stderr, "%s: %s\n", name, line);
            }});
      },
      [&](int rounds) { progress.Report(rounds); });
}

absl::Status AddBaselines(const RunPlan& plan) {
  HILUM_ASSIGN_OR_RETURN(int shared, CountSharedPatients(plan));
  if (shared > 0) {
    absl::FPrintF(
        stderr,
        "note: %d patient_ids occur at several sites. The federated study "
        "cannot know and takes them for different people; a centralized model "
        "trains on none whom any site holds out. If they are different people, "
        "give them different ids.\n",
        shared);
  }
  return RunBaselines(plan);
}

// Returns the command line that this process was started with, without --force,
// which would remove the files of the run.
std::string CommandToGoOn() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> words =
      absl::StrSplit(absl::StripSuffix(line, absl::string_view("\0", 1)), '\0');
  std::erase(words, "--force");
  return ShellLine(words);
}

// Ends the process at any point: all acknowledged data is on disk.
[[noreturn]] void EndInterrupted(const std::string& command) {
  const std::string text = absl::StrCat(
      "\nhilum-sim: interrupted. To go on from where it stopped:\n  ", command,
      "\n");
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  EndChildren(absl::Seconds(20));
  _exit(1);
}

absl::Status Simulate(const RunOptions& options) {
  StopSignals signals;  // first, so that later threads inherit the mask
  signals.Start([command = CommandToGoOn()] { EndInterrupted(command); });
  HILUM_ASSIGN_OR_RETURN(RunPlan plan, PrepareRun(options));
  for (const std::string& warning : plan.warnings) {
    absl::FPrintF(stderr, "warning: %s\n", warning);
  }
  if (plan.resumed) {
    absl::FPrintF(stderr, "Going on with the run in %s\n", plan.out);
  }
  HILUM_RETURN_IF_ERROR(RunPlanned(plan, options.transport));
  if (options.baselines) HILUM_RETURN_IF_ERROR(AddBaselines(plan));
  HILUM_RETURN_IF_ERROR(MarkRunDone(plan));
  HILUM_ASSIGN_OR_RETURN(std::string json,
                         ReadFile(absl::StrCat(plan.out, "/report.json")));
  HILUM_ASSIGN_OR_RETURN(std::string table, ResultTable(json));
  absl::PrintF("%s\nReport: %s/report.html\n", table, plan.out);
  return CheckTrained(json);
}

void AddDataOptions(CLI::App& command, RunOptions& options) {
  command.add_option("STUDY", options.study_path, "What to train, YAML")
      ->required();
  auto* data = command.add_option("--data", options.data, "Case manifest, CSV");
  command
      .add_option("--phantoms", options.phantoms,
                  "Draw so many phantoms instead")
      ->check(CLI::Range(1, 1000000))
      ->excludes(data);
  command.add_option("--sites", options.sites, "How many hospitals")
      ->check(CLI::Range(1, 1000));
  command
      .add_option("--partition", options.partition,
                  "Who has which case: by_site, iid or dirichlet:A")
      ->capture_default_str();
}

void AddWeightsOptions(CLI::App& command, StartingWeights& start) {
  auto* weights = command.add_option(
      "--weights", start.path,
      "Start from this file (default: drawn from the study's seed)");
  command
      .add_flag("--sum-channels", start.options.sum_input_channels,
                "Sum its first layer's three channels into one")
      ->needs(weights);
  command
      .add_flag("--fresh-head", start.options.fresh_head,
                "Start a new head where its has other classes, or the same "
                "in another order")
      ->needs(weights);
}

}  // namespace

void AddRunCommand(CLI::App& app, CommandAction& action) {
  CLI::App* command = app.add_subcommand(
      "run", "Run a federated study with all its hospitals on this machine");
  auto arguments = std::make_shared<RunArguments>();
  RunOptions& options = arguments->options;
  AddDataOptions(*command, options);
  command
      ->add_option("--transport", options.transport,
                   "inprocess: all in this process; grpc: the real processes "
                   "over TLS on loopback")
      ->check(CLI::IsMember({"inprocess", "grpc"}))
      ->capture_default_str();
  command
      ->add_option("--arm", options.arm,
                   "segmented, whole or both (default: the study's)")
      ->check(CLI::IsMember({"segmented", "whole", "both"}));
  command
      ->add_option("--secure-aggregation", options.secure_aggregation,
                   "on: the coordinator sees sums of updates only; off: each "
                   "site's (default: the study's, or on from three sites)")
      ->check(CLI::IsMember({"on", "off"}));
  command->add_flag("--baselines", options.baselines,
                    "Also train each hospital alone and all cases in one "
                    "place, and compare; in this process, whatever the "
                    "--transport; not with `task: segmentation`");
  AddWeightsOptions(*command, options.start);
  CLI::Option* seed = command->add_option("--seed", arguments->seed,
                                          "In the place of the study's seed");
  command
      ->add_option("--set", options.set,
                   "FIELD=VALUE: give a field of the study another value, as "
                   "training.rounds=3; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--threads", options.threads,
                   "Threads of each hospital's trainer, 0: all cores; networks "
                   "over 64 MB may have other last bits with other numbers")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command
      ->add_option("--start-order", options.start_order,
                   "Sites in the order in which they start: b,a,c")
      ->delimiter(',');
  command
      ->add_option("--out", options.out,
                   "Folder for all results; the same command goes on with a "
                   "run that was interrupted there")
      ->required();
  command->add_flag("--force", options.force, "Replace an older run there");
  command->footer(
      "Example: hilum-sim run sim/scenarios/demo.yaml --phantoms 120 --out "
      "out/run");
  command->callback([arguments, seed, &action] {
    if (seed->count() > 0) arguments->options.seed = arguments->seed;
    action = [=] { return Simulate(arguments->options); };
  });
}

}  // namespace hilum
