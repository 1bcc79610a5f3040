// SPDX-License-Identifier: Apache-2.0
// hilum-sim: a whole consortium on one machine.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/strings/str_format.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "sim/commands.h"

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  CLI::App app("hilum-sim: a whole consortium on one machine");
  app.set_version_flag("--version", std::string(hilum::SoftwareVersion()));
  app.require_subcommand(1);
  app.footer(
      "Example: hilum-sim run sim/scenarios/demo.yaml --phantoms 120 --out "
      "out/run");
  hilum::CommandAction action;
  hilum::AddRunCommand(app, action);
  hilum::AddPhantomsCommand(app, action);
  hilum::AddPartitionCommand(app, action);
  hilum::AddTableCommand(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const absl::Status status = action();
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "hilum-sim: %s\n", std::string(status.message()));
  return 1;
}
