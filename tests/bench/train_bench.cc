// SPDX-License-Identifier: Apache-2.0
// Measures images a second in the trainer's training steps:
//   hilum-bench-train ARCHITECTURE head|all [BATCH [SIZE [STEPS [PRECISION]]]]
// A step goes from pixels to updated weights: preprocessing, forward, backward,
// SGD with momentum. Prints one number a step. train_reference.py does the same
// in Python.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/malloc.h"
#include "common/base/rng.h"
#include "common/config/study.h"
#include "common/model/blobs.h"
#include "site_agent/trainer/classification/module.h"

namespace hilum {
namespace {

struct Options {
  std::string architecture, trainable;
  int batch = 8, size = 224, steps = 6;
  bool bfloat16 = false;
};

v1::Study StudyOf(const Options& options) {
  v1::Study study;
  study.set_name("bench");
  for (int c = 0; c < 4; ++c) study.add_classes(absl::StrCat("class-", c));
  study.add_sites("here");
  v1::Model& model = *study.mutable_model();
  model.set_architecture(options.architecture);
  model.set_trainable(options.trainable == "head" ? v1::Model::TRAINABLE_HEAD
                                                  : v1::Model::TRAINABLE_ALL);
  model.set_batch_norm(v1::Model::BATCH_NORM_AVERAGED);
  model.set_input_size(static_cast<uint32_t>(options.size));
  study.mutable_training()->mutable_optimizer()->set_learning_rate(1e-4);
  FillStudyDefaults(study);
  return study;
}

absl::Status Measure(const Options& options) {
  const v1::Study study = StudyOf(options);
  absl::StatusOr<ParameterLayout> layout = StudyLayout(study);
  if (!layout.ok()) return layout.status();
  absl::StatusOr<std::unique_ptr<Module>> module = Module::Create(
      *layout, study, {.device = {}, .bfloat16 = options.bfloat16});
  if (!module.ok()) return module.status();
  {
    SplitWeights start =
        *SplitInitial(*layout, InitialWeights(layout->architecture, 1));
    absl::Status status = (*module)->LoadFrozen(start.frozen);
    if (status.ok()) status = (*module)->Load(start.travelling);
    if (!status.ok()) return status;
  }
  Module::SetThreads(2);
  Rng rng(1, "bench"), dropout(1, "dropout");
  for (int step = 0; step < options.steps; ++step) {
    Batch batch;
    for (int i = 0; i < options.batch; ++i) {
      batch.labels.push_back(i % 4);
      batch.weights.push_back(1);
      for (int p = 0; p < options.size * options.size; ++p) {
        batch.inputs.values.push_back(static_cast<float>(rng.Uniform()));
      }
    }
    const auto before = std::chrono::steady_clock::now();
    absl::StatusOr<double> loss = (*module)->TrainBatch(batch, 1, dropout);
    if (!loss.ok()) return loss.status();
    const std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - before;
    if (step > 0) std::cout << options.batch / took.count() << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  if (argc < 3) {
    std::cerr << "hilum-bench-train ARCHITECTURE head|all [BATCH [SIZE [STEPS "
                 "[float32|bfloat16]]]]\n";
    return 2;
  }
  hilum::Options options{.architecture = argv[1], .trainable = argv[2]};
  if (argc > 3) options.batch = std::atoi(argv[3]);
  if (argc > 4) options.size = std::atoi(argv[4]);
  if (argc > 5) options.steps = std::atoi(argv[5]);
  if (argc > 6) options.bfloat16 = std::string(argv[6]) == "bfloat16";
  const absl::Status status = hilum::Measure(options);
  if (status.ok()) return 0;
  std::cerr << "hilum-bench-train: " << status.message() << "\n";
  return 1;
}
