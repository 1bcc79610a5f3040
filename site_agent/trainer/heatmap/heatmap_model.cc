// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/heatmap/heatmap_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/fit.h"
#include "common/model/preprocessing.h"
#include "common/model/weights_file.h"
#include "site_agent/trainer/data/augment.h"
#include "site_agent/trainer/data/scores.h"
#include "site_agent/trainer/models/grad_cam.h"
#include "site_agent/trainer/models/network_input.h"

namespace hilum {
namespace {

std::string Said(const std::map<std::string, std::string>& metadata,
                 const std::string& key) {
  auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

absl::Status Silent(absl::string_view key, absl::string_view option) {
  return absl::InvalidArgumentError(
      absl::StrCat("it does not say its ", key, "; give ", option));
}

absl::StatusOr<Architecture> ArchitectureOf(
    const std::vector<NamedTensor>& tensors, const std::string& name) {
  std::vector<Architecture> fitting = FittingArchitectures(tensors);
  std::vector<std::string> names;
  for (const Architecture& known : fitting) {
    if (known.name == name || (name.empty() && fitting.size() == 1)) {
      return known;
    }
    names.push_back(known.name);
  }
  if (fitting.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "its tensors are none of ", absl::StrJoin(KnownArchitectures(), ", "),
        "; hilum-trainer weights inspect lists them"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("its tensors are those of ", absl::StrJoin(names, ", "),
                   name.empty() ? "; give --architecture"
                                : absl::StrCat(", not of ", Shown(name))));
}

absl::StatusOr<std::vector<std::string>> ClassesOf(
    const std::string& said, const ModelNotes& notes,
    const Architecture& architecture) {
  std::vector<std::string> classes = notes.classes;
  if (classes.empty() && !said.empty()) classes = absl::StrSplit(said, ',');
  if (classes.empty()) return Silent("classes", "--classes a,b,c");
  if (static_cast<int>(classes.size()) != architecture.classes) {
    return absl::InvalidArgumentError(
        absl::StrCat("its head has ", architecture.classes, " classes, and ",
                     classes.size(), " are named"));
  }
  for (std::string& label : classes) label = Shown(label);
  return classes;
}

}  // namespace

absl::StatusOr<ModelFacts> FactsOf(
    const std::vector<NamedTensor>& tensors,
    const std::map<std::string, std::string>& metadata,
    const ModelNotes& notes) {
  ModelFacts facts;
  HILUM_ASSIGN_OR_RETURN(
      facts.architecture,
      ArchitectureOf(tensors, notes.architecture.empty()
                                  ? Said(metadata, "architecture")
                                  : notes.architecture));
  HILUM_ASSIGN_OR_RETURN(facts.classes, ClassesOf(Said(metadata, "classes"),
                                                  notes, facts.architecture));
  const std::string preset = notes.preprocessing.empty()
                                 ? Said(metadata, kPreprocessingKey)
                                 : notes.preprocessing;
  if (preset.empty()) {
    return Silent("preprocessing",
                  "--preprocessing hilum, imagenet or torchxrayvision");
  }
  HILUM_ASSIGN_OR_RETURN(facts.preprocessing, ParsePreprocessing(preset));
  facts.input_size = notes.input_size;
  const std::string size = Said(metadata, "input_size");
  if (facts.input_size == 0) {
    if (size.empty()) return Silent("input size", "--input-size");
    if (!absl::SimpleAtoi(size, &facts.input_size)) facts.input_size = -1;
  }
  if (facts.input_size < 32 || facts.input_size > 1024) {
    return absl::InvalidArgumentError("its input size is not from 32 to 1024");
  }
  facts.track = Said(metadata, "track");
  return facts;
}

struct HeatmapModel::Loaded {
  std::vector<float> values;  // memory of the network's tensors
  std::unique_ptr<Network> network;
};

HeatmapModel::HeatmapModel(ModelFacts facts, std::string sha256,
                           std::unique_ptr<Loaded> loaded)
    : facts_(std::move(facts)),
      sha256_(std::move(sha256)),
      loaded_(std::move(loaded)) {}
HeatmapModel::~HeatmapModel() = default;

namespace {

absl::Status TorchError(const std::exception& e) {
  std::string what = e.what();
  return absl::InternalError(
      absl::StrCat("Torch: ", what.substr(0, what.find('\n'))));
}

}  // namespace

absl::StatusOr<std::unique_ptr<HeatmapModel>> HeatmapModel::Open(
    const std::string& path, const ModelNotes& notes) try {
  HILUM_ASSIGN_OR_RETURN(WeightsFile file, WeightsFile::Open(path));
  absl::StatusOr<ModelFacts> facts =
      FactsOf(file.tensors(), file.metadata(), notes);
  if (!facts.ok()) {
    return absl::Status(facts.status().code(),
                        absl::StrCat(path, ": ", facts.status().message()));
  }
  auto loaded = std::make_unique<Loaded>();
  HILUM_ASSIGN_OR_RETURN(loaded->values,
                         ReadWeights(file, facts->architecture, {}));
  std::vector<at::Tensor> tensors;
  float* from = loaded->values.data();
  for (const TensorSpec& spec : facts->architecture.tensors) {
    tensors.push_back(at::from_blob(from, spec.shape, at::kFloat));
    from += spec.size();
  }
  HILUM_ASSIGN_OR_RETURN(loaded->network,
                         MakeNetwork(facts->architecture, tensors));
  return std::unique_ptr<HeatmapModel>(new HeatmapModel(
      *std::move(facts), ToHex(Sha256Of(file.bytes())), std::move(loaded)));
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<HeatmapModel::Answer> HeatmapModel::Explain(
    const Plane& plane, std::optional<int> label, CamMethod method) try {
  std::vector<float> pixels;
  AppendPlane(plane, pixels);
  v1::Model model;
  model.set_preprocessing(facts_.preprocessing);
  GradCam cam(*loaded_->network,
              NetworkInput(pixels, facts_.input_size, facts_.architecture,
                           model, at::kCPU));
  const at::Tensor logits = cam.logits().detach().contiguous();
  Answer answer;
  for (double value : LogSoftmax(
           {logits.data_ptr<float>(), static_cast<size_t>(logits.numel())})) {
    answer.probabilities.push_back(std::exp(value));
  }
  const auto most = std::max_element(answer.probabilities.begin(),
                                     answer.probabilities.end());
  answer.label =
      label.value_or(static_cast<int>(most - answer.probabilities.begin()));
  const at::Tensor map = cam.Maps({answer.label}, method).contiguous();
  const float* heat = map.data_ptr<float>();
  answer.heat.assign(heat, heat + map.numel());
  return answer;
} catch (const std::exception& e) {
  return TorchError(e);
}

}  // namespace hilum
