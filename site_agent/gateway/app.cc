// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/app.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/private_file.h"
#include "common/cli/program.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/risks.h"
#include "site_agent/sandbox/dumpable.h"

namespace hilum {
namespace {

struct Arguments {
  std::string config;
  Decision decision;
  bool exit_when_done = false;
  bool json = false;
};

// Adds a command; `example` follows the program's name in its help.
CLI::App* AddCommand(CLI::App& to, const char* name, const char* what,
                     const char* example, Arguments& arguments,
                     Program::Action& chosen, Program::Action run) {
  CLI::App* command = to.add_subcommand(name, what);
  command
      ->add_option("--config", arguments.config,
                   "The site's configuration, YAML")
      ->required();
  command->footer(absl::StrCat("Example:\n  hilum-site ", example));
  command->callback([&chosen, run = std::move(run)] { chosen = run; });
  return command;
}

void AddYes(CLI::App& approve, Decision& decision) {
  approve
      .add_option("--accept", decision.accept,
                  absl::StrCat("Names of the risks that you accept, separated "
                               "by commas; `hilum-site study show` lists the "
                               "risks of the study. All names: ",
                               absl::StrJoin(RiskNames(), ", ")))
      ->delimiter(',')
      ->allow_extra_args(false);
  approve.add_option("--weights", decision.weights,
                     "SHA-256 of the starting weights that you accept; needed "
                     "if the program does not know who made them");
}

void AddStudyCommands(CLI::App& app, Arguments& a, Program::Action& chosen) {
  CLI::App* study =
      app.add_subcommand("study", "Show and decide what was offered");
  study->require_subcommand(1);
  study->footer("Example:\n  hilum-site study show --config site.yaml");
  CLI::App* show = AddCommand(
      *study, "show", "Show what the studies offered would do, and risk",
      "study show --config site.yaml lungs", a, chosen,
      [&a] { return ShowStudy(a.config, a.decision.study, a.json); });
  show->add_flag("--json", a.json, "One JSON object a line");
  CLI::App* approve = AddCommand(
      *study, "approve", "Take part in a study",
      "study approve --config site.yaml 3f9a --accept unpinned_keys", a, chosen,
      [&a] { return ApproveStudy(a.config, a.decision); });
  AddYes(*approve, a.decision);
  CLI::App* refuse =
      AddCommand(*study, "refuse", "Decline a study",
                 "study refuse --config site.yaml lungs", a, chosen,
                 [&a] { return RefuseStudy(a.config, a.decision.study); });
  for (CLI::App* command : {show, approve, refuse}) {
    command->add_option("STUDY", a.decision.study,
                        "The study's name, or the first digits of its hash; "
                        "without it, approve and refuse ask on a terminal "
                        "about the only undecided study");
  }
}

void AddCommands(CLI::App& app, Arguments& a, Program::Action& chosen) {
  AddCommand(app, "serve", "Take part in studies until SIGTERM",
             "serve --config site.yaml", a, chosen,
             [&a] { return ServeSite(a.config, a.exit_when_done); })
      ->add_flag("--exit-when-done", a.exit_when_done,
                 "End with the first study that ends");
  AddCommand(app, "doctor", "Check that this site is ready",
             "doctor --config site.yaml", a, chosen,
             [&a] { return Doctor(a.config); });
  AddStudyCommands(app, a, chosen);
}

}  // namespace

int RunSite(int argc, char** argv) {
  MakeFilesPrivate();  // the trainer inherits it
  Program program("hilum-site",
                  "A hospital's gateway: the only process with network.",
                  {"hilum-site doctor --config site.yaml",
                   "hilum-site serve --config site.yaml",
                   "hilum-site study approve --config site.yaml STUDY"});
  Arguments arguments;
  AddCommands(program.app(), arguments, program.action());
  return program.Run(argc, argv, HideMemory);
}

}  // namespace hilum
