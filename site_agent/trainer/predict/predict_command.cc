// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predict_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <thread>

#include "absl/strings/match.h"
#include "common/base/status_macros.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/trainer/data/case_list.h"
#include "site_agent/trainer/data/manifest_files.h"
#include "site_agent/trainer/predict/predict_run.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"

namespace hilum {
namespace {

struct Arguments {
  PredictOptions predict;
  bool find_lungs = false;
};

// Returns the folder of this program.
std::string BinariesFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error)
      .parent_path()
      .string();
}

absl::Status RunPredict(Arguments arguments) {
  PredictOptions& predict = arguments.predict;
  if (arguments.find_lungs && predict.lungs_weights.empty()) {
    HILUM_ASSIGN_OR_RETURN(predict.lungs_weights,
                           FindShippedWeights(BinariesFolder()));
  }
  if (!arguments.find_lungs) predict.lungs_weights.clear();
  Confinement confinement{.read = FilesOfData(predict.data),
                          .write = {ParentFolder(predict.out)},
                          .gpu = absl::StartsWith(predict.device, "cuda")};
  confinement.read.insert(confinement.read.end(), predict.models.begin(),
                          predict.models.end());
  if (arguments.find_lungs) confinement.read.push_back(predict.lungs_weights);
  HILUM_RETURN_IF_ERROR(Confine(confinement));
  return Predict(predict, std::cout, std::cerr);
}

// Adds the options for facts that a model's file may lack.
void AddNotes(CLI::App& command, PredictOptions& options) {
  command
      .add_option("--arm", options.arm,
                  "Images the models were trained on (default: their files')")
      ->check(CLI::IsMember({"whole", "segmented"}));
  command
      .add_option("--classes", options.notes.classes,
                  "The models' classes, a,b,c; overrides their files")
      ->delimiter(',');
  command.add_option("--architecture", options.notes.architecture,
                     "The models' architecture; overrides their files");
  command.add_option("--preprocessing", options.notes.preprocessing,
                     "hilum, imagenet or torchxrayvision; overrides the files");
  command.add_option("--input-size", options.notes.input_size,
                     "Side of the input in pixels; overrides the files");
}

void AddLungs(CLI::App& command, Arguments& arguments) {
  CLI::Option* find = command.add_flag(
      "--find-lungs", arguments.find_lungs,
      "Find the lungs of cases without a mask; with models of whole images, "
      "give no answer where none are found");
  command
      .add_option("--lungs-weights", arguments.predict.lungs_weights,
                  "The network that finds them (default: the one of this "
                  "release)")
      ->needs(find);
}

void AddComputing(CLI::App& command, PredictOptions& options) {
  options.threads =
      std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 256);
  command
      .add_option("--views", options.views,
                  "Average over so many views of each case: itself, and others "
                  "turned and moved a little")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      .add_option("--threads", options.threads,
                  "By default all cores; changes no bit")
      ->check(CLI::Range(1, 256));
  command.add_option("--device", options.device,
                     "cpu, cuda or cuda:N (default: cpu)");
}

}  // namespace

void AddPredictCommand(CLI::App& app, std::function<absl::Status()>& action) {
  // The action names the options; they live as long as it does.
  auto arguments = std::make_shared<Arguments>();
  PredictOptions& options = arguments->predict;
  options.progress = true;
  CLI::App* predict = app.add_subcommand(
      "predict", "Write what trained models say of radiographs");
  predict
      ->add_option("--model", options.models,
                   "Weights, safetensors or .pth; of several, such as the "
                   "folds of a study, the mean of the probabilities")
      ->required();
  predict
      ->add_option("--data", options.data,
                   "A case manifest (.csv), a case store, STORE#CASE, or PNG, "
                   "JPEG and DICOM files")
      ->required();
  predict
      ->add_option("--out", options.out,
                   "File to write: .csv, or .jsonl for a JSON object a line")
      ->required();
  predict->add_flag("--force", options.force, "Replace an older file there");
  predict->add_flag("--each-model", options.each_model,
                    "Write the scores of the single models, too");
  predict->add_flag("--every-case", options.every_case,
                    "Answer also for images that are no frontal chest "
                    "radiograph by their header, turned, quarantined, or far "
                    "from the training images");
  AddNotes(*predict, options);
  AddLungs(*predict, *arguments);
  AddComputing(*predict, options);
  predict->footer(
      "Exit code 1: some cases could not be read; the others are in the file.\n"
      "Examples:\n"
      "  hilum-trainer predict --model whole-final.safetensors --data "
      "cases.csv --out predictions.csv\n"
      "  hilum-trainer predict --model whole-fold-*.safetensors --data "
      "/data/cases --out predictions.jsonl\n"
      "  hilum-trainer predict --model segmented-final.safetensors --data "
      "chest.dcm --find-lungs --out chest.csv");
  predict->callback([arguments, &action] {
    action = [arguments] { return RunPredict(*arguments); };
  });
}

}  // namespace hilum
