// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/command/segment_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <thread>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/trainer/data/manifest_files.h"
#include "site_agent/trainer/segmentation/command/overlay_page.h"
#include "site_agent/trainer/segmentation/command/score_segmenter.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"
#include "site_agent/trainer/segmentation/command/segment_manifest.h"
#include "site_agent/trainer/segmentation/command/train_segmenter.h"

namespace hilum {
namespace {

using Action = std::function<absl::Status()>;

// Returns the folder of this program.
std::string BinariesFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error)
      .parent_path()
      .string();
}

int Cores() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void AddThreads(CLI::App& command, int& threads) {
  threads = Cores();
  command.add_option("--threads", threads, "By default all cores")
      ->check(CLI::Range(1, 256));
}

void AddData(CLI::App& command, std::string& data) {
  command.add_option("--data", data, "Case manifest (CSV)")->required();
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

void AddTrain(CLI::App& segment, Action& action) {
  auto options = std::make_shared<SegmentTraining>();
  CLI::App* train = segment.add_subcommand(
      "train", "Train a U-Net on the rows that have a mask");
  AddData(*train, options->data);
  train->add_option("--out", options->out, "Ends in .safetensors")->required();
  train->add_option("--minutes", options->minutes, "Time limit in minutes")
      ->capture_default_str();
  train->add_option("--epochs", options->epochs,
                    "Number of epochs (default: as many as --minutes allow)");
  train
      ->add_option("--size", options->size,
                   "Side of the network's input in pixels")
      ->capture_default_str();
  train->add_option("--seed", options->seed, "Same seed, same model")
      ->capture_default_str();
  train
      ->add_option("--hold-out", options->hold_out,
                   "Share of patients kept from training, to test on")
      ->capture_default_str();
  AddThreads(*train, options->threads);
  train->footer(
      "Example:\n  hilum-trainer segment train --data cases.csv "
      "--out lungs.safetensors --minutes 20");
  train->callback([options, &action] {
    action = [options]() -> absl::Status {
      HILUM_RETURN_IF_ERROR(
          ConfineTo(options->data, "", ParentFolder(options->out)));
      return TrainSegmenter(*options, RealClock(), std::cout);
    };
  });
}

absl::Status FillWeights(std::string& weights) {
  if (!weights.empty()) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(weights, FindShippedWeights(BinariesFolder()));
  return absl::OkStatus();
}

void AddRun(CLI::App& segment, Action& action) {
  auto options = std::make_shared<SegmentRun>();
  CLI::App* run =
      segment.add_subcommand("run", "Write a mask for every row's image");
  AddData(*run, options->data);
  run->add_option("--out", options->folder, "Folder for the masks")->required();
  run->add_option("--weights", options->weights,
                  "File from `segment train` (default: the shipped weights)");
  run->add_flag("--only-missing", options->only_missing,
                "Skip rows that have a mask");
  run->add_flag("--dicom", options->dicom,
                "Write a DICOM segmentation beside each mask");
  run->add_flag("--hull", options->cleaning.convex_hull,
                "Fill each lung's convex hull, to restore opaque parts");
  run->add_option("--dilate", options->cleaning.dilation_share,
                  "Dilate masks by this share of the image's longer side")
      ->check(CLI::Range(0.0, 0.2));
  AddThreads(*run, options->threads);
  run->footer(
      "Example:\n  hilum-trainer segment run --data cases.csv --out masks");
  run->callback([options, &action] {
    action = [options]() -> absl::Status {
      HILUM_RETURN_IF_ERROR(FillWeights(options->weights));
      HILUM_RETURN_IF_ERROR(MakeDirectories(options->folder));
      HILUM_RETURN_IF_ERROR(
          ConfineTo(options->data, options->weights, options->folder));
      return RunSegmenter(*options, std::cout);
    };
  });
}

void AddHeldOut(CLI::App& command, ScoredRows& rows) {
  command
      .add_option("--held-out", rows.held_out,
                  "Only patients whom `segment train --hold-out` of this share "
                  "kept from learning")
      ->check(CLI::Range(0.0, 0.9));
  command.add_option("--seed", rows.seed, "That training's")
      ->capture_default_str();
}

void AddScore(CLI::App& segment, Action& action) {
  struct Options {
    ScoredRows rows;
    std::string weights;
    int threads = 0;
  };
  auto options = std::make_shared<Options>();
  CLI::App* score = segment.add_subcommand(
      "score", "Dice and IoU of a U-Net's masks against the given ones");
  AddData(*score, options->rows.data);
  score->add_option("--weights", options->weights, "As for `segment run`");
  AddHeldOut(*score, options->rows);
  AddThreads(*score, options->threads);
  score->footer("Example:\n  hilum-trainer segment score --data cases.csv");
  score->callback([options, &action] {
    action = [options]() -> absl::Status {
      HILUM_RETURN_IF_ERROR(FillWeights(options->weights));
      HILUM_RETURN_IF_ERROR(
          ConfineTo(options->rows.data, options->weights, ""));
      return ScoreManifest(options->rows, options->weights, options->threads,
                           std::cout);
    };
  });
}

void AddPage(CLI::App& segment, Action& action) {
  auto options = std::make_shared<OverlayPage>();
  options->rows.with_mask = false;
  CLI::App* page = segment.add_subcommand(
      "page", "Draw radiographs with the outlines of the lungs, to look at");
  AddData(*page, options->rows.data);
  page->add_option("--out", options->out, "Ends in .png")->required();
  page->add_option("--weights", options->weights, "As for `segment run`");
  page->add_option("--count", options->count, "Radiographs")
      ->check(CLI::Range(1, 400))
      ->capture_default_str();
  page->add_flag("--with-mask", options->rows.with_mask,
                 "Only rows that have one");
  page->add_flag("--bare", options->bare,
                 "Draw only outlines, no pixel of a radiograph");
  AddHeldOut(*page, options->rows);
  AddThreads(*page, options->threads);
  page->footer(
      "Example:\n  hilum-trainer segment page --data cases.csv --out "
      "lungs.png");
  page->callback([options, &action] {
    action = [options]() -> absl::Status {
      HILUM_RETURN_IF_ERROR(FillWeights(options->weights));
      HILUM_RETURN_IF_ERROR(ConfineTo(options->rows.data, options->weights,
                                      ParentFolder(options->out)));
      return DrawOverlayPage(*options, std::cout);
    };
  });
}

void AddJudge(CLI::App& segment, Action& action) {
  auto data = std::make_shared<std::string>();
  CLI::App* judge = segment.add_subcommand(
      "judge", "Say which of the given masks cannot be of two lungs");
  AddData(*judge, *data);
  judge->footer("Example:\n  hilum-trainer segment judge --data cases.csv");
  judge->callback([data, &action] {
    action = [data]() -> absl::Status {
      HILUM_RETURN_IF_ERROR(ConfineTo(*data, "", ""));
      return JudgeManifest(*data, std::cout);
    };
  });
}

}  // namespace

void AddSegmentCommand(CLI::App& app, std::function<absl::Status()>& action) {
  CLI::App* segment = app.add_subcommand("segment", "Where the lungs are");
  segment->require_subcommand(1);
  segment->footer(
      "Example:\n  hilum-trainer segment run --data cases.csv --out masks");
  AddTrain(*segment, action);
  AddRun(*segment, action);
  AddScore(*segment, action);
  AddPage(*segment, action);
  AddJudge(*segment, action);
}

}  // namespace hilum
