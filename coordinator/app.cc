// SPDX-License-Identifier: Apache-2.0
#include "coordinator/app.h"

#include <CLI/CLI.hpp>
#include <string>

#include "common/cli/program.h"
#include "coordinator/serve_command.h"
#include "coordinator/study_commands.h"

namespace hilum {

int RunCoordinator(int argc, char** argv) {
  Program program(
      "hilum-coordinator",
      "The consortium's coordinator: offers studies, averages updates, "
      "evaluates.",
      {"hilum-coordinator serve --config coordinator.yaml",
       "hilum-coordinator study submit --config coordinator.yaml "
       "--certificates certs study.yaml"});
  std::string config;
  CLI::App* serve =
      program.app().add_subcommand("serve", "Serve the sites until SIGTERM");
  serve->add_option("--config", config, "The configuration, YAML")->required();
  serve->footer("Example: hilum-coordinator serve --config coordinator.yaml");
  serve->callback(
      [&] { program.action() = [&] { return ServeCoordinator(config); }; });
  AddStudyCommands(program.app(), program.action());
  return program.Run(argc, argv);
}

}  // namespace hilum
