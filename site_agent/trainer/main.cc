// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "common/base/private_file.h"
#include "site_agent/trainer/heatmap_command.h"
#include "site_agent/trainer/orientation/orientation_command.h"
#include "site_agent/trainer/sandbox.h"
#include "site_agent/trainer/segmentation/segment_command.h"
#include "site_agent/trainer/service/parallel_trainer.h"
#include "site_agent/trainer/service/trainer_server.h"
#include "site_agent/trainer/torch_trainer.h"
#include "site_agent/trainer/weights_command.h"

namespace {

struct ServeOptions {
  int socket_fd = -1;
  bool loopback = false;
  hilum::RankOptions ranks;
};

void Say(const std::string& line) {
  std::cerr << "hilum-trainer: " << line << std::endl;
}

absl::Status Serve(const ServeOptions& options) {
  hilum::ScopedFd socket(options.socket_fd);
  if (options.ranks.rank > 0) {
    // Started within what denies its parent the network.
    hilum::TorchTrainer trainer(
        {.further = {}, .log = Say, .ranks = options.ranks});
    return hilum::ServeTrainer(trainer, std::move(socket));
  }
  // Before any thread starts and any image is opened.
  absl::Status denied = options.loopback ? hilum::DenyNetworkButOwnLoopback()
                                         : hilum::DenyNetwork();
  if (!denied.ok()) return denied;
  hilum::ParallelTrainer trainer("/proc/self/exe", Say);
  return hilum::ServeTrainer(trainer, std::move(socket));
}

void AddServeCommand(CLI::App& app, std::function<absl::Status()>& action) {
  static ServeOptions options;
  CLI::App* serve = app.add_subcommand("serve", "Serve the gateway");
  serve
      ->add_option("--socket-fd", options.socket_fd,
                   "Inherited, connected socket")
      ->required();
  serve->add_flag("--loopback", options.loopback,
                  "Keep a loopback of its own, for several devices");
  serve->add_option("--rank", options.ranks.rank, "Of the first's children");
  serve->add_option("--ranks", options.ranks.size);
  serve->add_option("--meeting-file", options.ranks.meeting_file);
  serve->callback([&] { action = [] { return Serve(options); }; });
}

}  // namespace

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  hilum::MakeFilesPrivate();  // what it writes shows patients
  CLI::App app{"Trains and evaluates at one site; has no network.",
               "hilum-trainer"};
  app.footer(
      "hilum-site starts it:\n  hilum-trainer serve --socket-fd 3\n"
      "By hand:\n  hilum-trainer weights inspect densenet.pth");
  app.set_version_flag(
      "--version", absl::StrCat("hilum-trainer ", hilum::SoftwareVersion()));
  app.require_subcommand(1);
  std::function<absl::Status()> action;
  AddServeCommand(app, action);
  hilum::AddWeightsCommand(app, action);
  hilum::AddHeatmapCommand(app, action);
  hilum::AddSegmentCommand(app, action);
  hilum::AddOrientationCommand(app, action);
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
