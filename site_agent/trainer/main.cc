// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "site_agent/trainer/heatmap_command.h"
#include "site_agent/trainer/sandbox.h"
#include "site_agent/trainer/service/trainer_server.h"
#include "site_agent/trainer/torch_trainer.h"
#include "site_agent/trainer/weights_command.h"

namespace {

absl::Status Serve(int socket_fd) {
  // Before any thread starts and any image is opened.
  absl::Status denied = hilum::DenyNetwork();
  if (!denied.ok()) return denied;
  hilum::TorchTrainer trainer;
  return hilum::ServeTrainer(trainer, hilum::ScopedFd(socket_fd));
}

}  // namespace

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  CLI::App app{"Trains and evaluates at one site; has no network.",
               "hilum-trainer"};
  app.footer(
      "hilum-site starts it:\n  hilum-trainer serve --socket-fd 3\n"
      "By hand:\n  hilum-trainer weights inspect densenet.pth");
  app.set_version_flag(
      "--version", absl::StrCat("hilum-trainer ", hilum::SoftwareVersion()));
  app.require_subcommand(1);
  std::function<absl::Status()> action;
  int socket_fd = -1;
  CLI::App* serve = app.add_subcommand("serve", "Serve the gateway");
  serve->add_option("--socket-fd", socket_fd, "Inherited, connected socket")
      ->required();
  serve->callback([&] { action = [&] { return Serve(socket_fd); }; });
  hilum::AddWeightsCommand(app, action);
  hilum::AddHeatmapCommand(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  absl::Status status = action();
  if (status.ok()) return 0;
  std::cerr << "hilum-trainer: " << status.message() << "\n";
  return 1;
}
