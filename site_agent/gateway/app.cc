// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/app.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/ids.h"
#include "common/base/private_file.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/risks.h"
#include "site_agent/sandbox/dumpable.h"

namespace hilum {
namespace {

struct Arguments {
  std::string config;
  Decision decision;
  bool exit_when_done = false;
};

using Action = std::function<absl::Status()>;

CLI::App* AddCommand(CLI::App& to, const char* name, const char* what,
                     Arguments& arguments, Action& chosen, Action run) {
  CLI::App* command = to.add_subcommand(name, what);
  command->add_option("--config", arguments.config, "The site's configuration")
      ->required();
  command->callback([&chosen, run = std::move(run)] { chosen = run; });
  return command;
}

void AddYes(CLI::App& approve, Decision& decision) {
  approve
      .add_option("--accept", decision.accept,
                  absl::StrCat("Risks that you accept, by name, with commas: ",
                               absl::StrJoin(RiskNames(), ", "),
                               "; `study show` says which the study has"))
      ->delimiter(',')
      ->allow_extra_args(false);
  approve.add_option("--weights", decision.weights,
                     "SHA-256 of the starting weights that you accept, where "
                     "this site cannot tell who made them");
}

void AddCommands(CLI::App& app, Arguments& a, Action& chosen) {
  AddCommand(app, "serve", "Take part in studies", a, chosen,
             [&a] { return ServeSite(a.config, a.exit_when_done); })
      ->add_flag("--exit-when-done", a.exit_when_done,
                 "End with the first study that ends");
  AddCommand(app, "doctor", "Check that this site is ready", a, chosen,
             [&a] { return Doctor(a.config); });
  CLI::App* study = app.add_subcommand("study", "What was offered");
  study->require_subcommand(1);
  CLI::App* commands[] = {
      AddCommand(*study, "show", "What the studies offered would do, and risk",
                 a, chosen,
                 [&a] { return ShowStudy(a.config, a.decision.hash); }),
      AddCommand(*study, "approve", "Take part in a study", a, chosen,
                 [&a] { return ApproveStudy(a.config, a.decision); }),
      AddCommand(*study, "refuse", "Decline a study", a, chosen,
                 [&a] { return RefuseStudy(a.config, a.decision.hash); })};
  for (CLI::App* command : commands) {
    command->add_option("HASH", a.decision.hash,
                        "The study's hash, or its first digits; without it, "
                        "approve and refuse ask on a terminal about the only "
                        "undecided study");
  }
  AddYes(*commands[1], a.decision);
}

}  // namespace

int RunSite(int argc, char** argv) {
  MakeFilesPrivate();  // the trainer's too, which inherits it
  CLI::App app{"A hospital's gateway: the only process with network.",
               "hilum-site"};
  app.footer(
      "Example:\n  hilum-site doctor --config site.yaml\n"
      "  hilum-site serve --config site.yaml\n"
      "  hilum-site study approve --config site.yaml HASH");
  app.set_version_flag("--version",
                       absl::StrCat("hilum-site ", SoftwareVersion()));
  app.require_subcommand(1);
  Arguments arguments;
  Action chosen;
  AddCommands(app, arguments, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  absl::Status status = HideMemory();
  if (status.ok()) status = chosen();
  if (status.ok()) return 0;
  std::cerr << "hilum-site: " << status.message() << "\n";
  return 1;
}

}  // namespace hilum
