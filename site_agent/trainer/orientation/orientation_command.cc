// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/orientation_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/trainer/data/manifest_files.h"
#include "site_agent/trainer/orientation/score_orientation.h"
#include "site_agent/trainer/orientation/train_orientation.h"

namespace hilum {
namespace {

using Action = std::function<absl::Status()>;

void AddThreads(CLI::App& command, int& threads) {
  threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  command.add_option("--threads", threads, "By default all cores")
      ->check(CLI::Range(1, 256));
}

// Confines this process to reading the manifest's files and the weights (empty:
// none), and to writing to the folder `out` (empty: none).
absl::Status ConfineTo(const std::string& data, const std::string& weights,
                       const std::string& out) {
  Confinement confinement{.read = FilesOfManifest(data, {}), .write = {}};
  if (!weights.empty()) confinement.read.push_back(weights);
  if (!out.empty()) confinement.write.push_back(out);
  return Confine(confinement);
}

void AddTrain(CLI::App& orientation, Action& action) {
  auto options = std::make_shared<OrientationTraining>();
  CLI::App* train = orientation.add_subcommand(
      "train", "Train the network on radiographs that are upright");
  train->add_option("--data", options->data, "Case manifest (CSV)")->required();
  train->add_option("--out", options->out, "Ends in .safetensors")->required();
  train->add_option("--epochs", options->epochs, "Passes over the images")
      ->capture_default_str();
  train
      ->add_option("--folds", options->folds,
                   "Folds of patients for cross-validation; 0: none")
      ->capture_default_str();
  train->add_option("--seed", options->seed, "Same seed, same network")
      ->capture_default_str();
  AddThreads(*train, options->threads);
  train->footer(
      "Example:\n  hilum-trainer orientation train --data cases.csv "
      "--out orientation.safetensors");
  train->callback([options, &action] {
    action = [options]() -> absl::Status {
      HILUM_RETURN_IF_ERROR(
          ConfineTo(options->data, "", ParentFolder(options->out)));
      return TrainOrientation(*options, RealClock(), std::cout);
    };
  });
}

struct ScoreOptions {
  std::string data, weights;
  int threads = 1;
};

void AddScore(CLI::App& orientation, Action& action) {
  auto options = std::make_shared<ScoreOptions>();
  CLI::App* score = orientation.add_subcommand(
      "score", "Show it upright radiographs in all eight ways");
  score->add_option("--data", options->data, "Case manifest (CSV)")->required();
  score->add_option(
      "--weights", options->weights,
      "File from `orientation train` (default: the built-in weights)");
  AddThreads(*score, options->threads);
  score->footer("Example:\n  hilum-trainer orientation score --data cases.csv");
  score->callback([options, &action] {
    action = [options]() -> absl::Status {
      HILUM_RETURN_IF_ERROR(ConfineTo(options->data, options->weights, ""));
      return ScoreOrientation(options->data, options->weights, options->threads,
                              std::cout);
    };
  });
}

}  // namespace

void AddOrientationCommand(CLI::App& app,
                           std::function<absl::Status()>& action) {
  CLI::App* orientation =
      app.add_subcommand("orientation", "How a radiograph lies");
  orientation->require_subcommand(1);
  orientation->footer(
      "Example:\n  hilum-trainer orientation score --data cases.csv");
  AddTrain(*orientation, action);
  AddScore(*orientation, action);
}

}  // namespace hilum
