// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/heatmap/heatmap_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/weights_file.h"
#include "site_agent/trainer/data/augment.h"
#include "site_agent/trainer/data/scores.h"
#include "site_agent/trainer/models/grad_cam.h"
#include "site_agent/trainer/models/network_input.h"

namespace hilum {

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
