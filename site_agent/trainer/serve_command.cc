// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/serve_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/sandbox/describe.h"
#include "site_agent/trainer/data/manifest_files.h"
#include "site_agent/trainer/models/rank_options.h"
#include "site_agent/trainer/parallel_trainer.h"
#include "site_agent/trainer/service/trainer_server.h"
#include "site_agent/trainer/torch_trainer.h"

namespace hilum {
namespace {

struct ServeOptions {
  int socket_fd = -1;
  Confinement confinement;
  std::string manifest;
  std::vector<std::string> guarded;
  RankOptions ranks;
};

void Say(const std::string& line) {
  std::cerr << "hilum-trainer: " << line << std::endl;
}

// Call before our first thread starts and before an image is opened.
absl::Status ConfineServer(const ServeOptions& options) {
  Confinement confinement = options.confinement;
  for (std::string& path : FilesOfManifest(options.manifest, options.guarded)) {
    confinement.read.push_back(std::move(path));
  }
  const std::string missing = MissingLandlock();
  HILUM_RETURN_IF_ERROR(Confine(confinement));
  if (!missing.empty()) Say(missing);
  return absl::OkStatus();
}

absl::Status Serve(const ServeOptions& options) {
  ScopedFd socket(options.socket_fd);
  if (options.ranks.rank > 0) {
    // The child inherits its parent's confinement.
    TorchTrainer trainer({.further = {}, .log = Say, .ranks = options.ranks});
    return ServeTrainer(trainer, std::move(socket));
  }
  HILUM_RETURN_IF_ERROR(ConfineServer(options));
  ParallelTrainer trainer("/proc/self/exe", Say);
  return ServeTrainer(trainer, std::move(socket));
}

}  // namespace

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
  serve->add_option("--ranks", options.ranks.size, "How many children");
  serve->add_option("--meeting-file", options.ranks.meeting_file,
                    "The file by which the children find each other");
  serve->footer(
      "Example, as hilum-site starts it:\n  hilum-trainer serve --socket-fd 3 "
      "--manifest cases.csv --read blobs --work trainer");
  serve->callback([&] { action = [] { return Serve(options); }; });
}

}  // namespace hilum
