// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/sandbox/describe.h"
#include "site_agent/sandbox/dumpable.h"
#include "site_agent/trainer/heatmap_command.h"
#include "site_agent/trainer/manifest_files.h"
#include "site_agent/trainer/orientation/orientation_command.h"
#include "site_agent/trainer/segmentation/segment_command.h"
#include "site_agent/trainer/service/parallel_trainer.h"
#include "site_agent/trainer/service/trainer_server.h"
#include "site_agent/trainer/torch_trainer.h"
#include "site_agent/trainer/weights_command.h"

namespace {

struct ServeOptions {
  int socket_fd = -1;
  hilum::Confinement confinement;
  std::string manifest;
  std::vector<std::string> guarded;
  hilum::RankOptions ranks;
};

void Say(const std::string& line) {
  std::cerr << "hilum-trainer: " << line << std::endl;
}

// Before any thread of ours starts and any image is opened.
absl::Status ConfineServer(const ServeOptions& options) {
  hilum::Confinement confinement = options.confinement;
  for (std::string& path :
       hilum::FilesOfManifest(options.manifest, options.guarded)) {
    confinement.read.push_back(std::move(path));
  }
  absl::Status confined = hilum::Confine(confinement);
  const std::string missing = hilum::MissingLandlock();
  if (confined.ok() && !missing.empty()) Say(missing);
  return confined;
}

absl::Status Serve(const ServeOptions& options) {
  hilum::ScopedFd socket(options.socket_fd);
  if (options.ranks.rank > 0) {
    // Started within what confines its parent.
    hilum::TorchTrainer trainer(
        {.further = {}, .log = Say, .ranks = options.ranks});
    return hilum::ServeTrainer(trainer, std::move(socket));
  }
  absl::Status confined = ConfineServer(options);
  if (!confined.ok()) return confined;
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
  serve->add_option("--manifest", options.manifest,
                    "Case manifest: its images may be read");
  serve->add_option("--read", options.confinement.read,
                    "A file or folder that may be read");
  serve->add_option("--work", options.confinement.write,
                    "The folder that may be written");
  serve->add_option("--guard", options.guarded,
                    "A file or folder whose folder is not opened whole");
  serve->add_flag("--gpu", options.confinement.gpu, "Keep the devices of CUDA");
  serve->add_flag("--loopback", options.confinement.own_loopback,
                  "Keep a loopback of its own, for several devices");
  serve->add_option("--rank", options.ranks.rank, "Of the first's children");
  serve->add_option("--ranks", options.ranks.size);
  serve->add_option("--meeting-file", options.ranks.meeting_file);
  serve->callback([&] { action = [] { return Serve(options); }; });
}

}  // namespace

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
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
  if (status.ok()) status = action();
  if (status.ok()) return 0;
  std::cerr << "hilum-trainer: " << status.message() << "\n";
  return 1;
}
