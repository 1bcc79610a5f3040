// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "common/base/private_file.h"
#include "site_agent/sandbox/dumpable.h"
#include "site_agent/trainer/check_command.h"
#include "site_agent/trainer/heatmap/heatmap_command.h"
#include "site_agent/trainer/orientation/orientation_command.h"
#include "site_agent/trainer/segmentation/command/segment_command.h"
#include "site_agent/trainer/serve_command.h"
#include "site_agent/trainer/weights/weights_command.h"

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  hilum::MakeFilesPrivate();  // what it writes shows patients
  absl::Status status = hilum::HideMemory();
  CLI::App app{"Trains and evaluates at one site; has no network.",
               "hilum-trainer"};
  app.footer(
      "hilum-site starts it:\n  hilum-trainer serve --socket-fd 3\n"
      "By hand:\n  hilum-trainer weights inspect densenet.pth");
  app.set_version_flag(
      "--version", absl::StrCat("hilum-trainer ", hilum::SoftwareVersion()));
  app.require_subcommand(1);
  std::function<absl::Status()> action;
  hilum::AddServeCommand(app, action);
  hilum::AddCheckCommand(app, action);
  hilum::AddWeightsCommand(app, action);
  hilum::AddHeatmapCommand(app, action);
  hilum::AddSegmentCommand(app, action);
  hilum::AddOrientationCommand(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (status.ok()) status = action();
  if (status.ok()) return 0;
  std::cerr << "hilum-trainer: " << status.message() << "\n";
  return 1;
}
