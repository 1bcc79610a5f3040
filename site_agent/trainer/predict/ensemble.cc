// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/ensemble.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/weights_file.h"
#include "site_agent/trainer/data/scores.h"
#include "site_agent/trainer/models/network.h"
#include "site_agent/trainer/models/network_input.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

absl::Status TorchError(const std::exception& e) {
  std::string what = e.what();
  return absl::InternalError(
      absl::StrCat("Torch: ", what.substr(0, what.find('\n'))));
}

absl::Status OfFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

at::Device DeviceOf(const ComputeDevice& device) {
  if (!device.cuda) return at::Device(at::kCPU);
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device.index));
}

// One file's weights, which the networks of all siblings share.
struct Loaded {
  std::string sha256;
  ModelFacts facts;
  std::vector<float> values;        // memory of the tensors on a CPU
  std::vector<at::Tensor> tensors;  // registry order
};

absl::StatusOr<Loaded> Load(const std::string& path,
                            const EnsembleOptions& options) try {
  HILUM_ASSIGN_OR_RETURN(const WeightsFile file, WeightsFile::Open(path));
  Loaded loaded{.sha256 = Sha256Of(file.bytes())};
  absl::StatusOr<ModelFacts> facts =
      FactsOf(file.tensors(), file.metadata(), options.notes);
  if (!facts.ok()) return OfFile(path, facts.status());
  loaded.facts = *std::move(facts);
  HILUM_ASSIGN_OR_RETURN(loaded.values,
                         ReadWeights(file, loaded.facts.architecture, {}));
  float* from = loaded.values.data();
  for (const TensorSpec& spec : loaded.facts.architecture.tensors) {
    loaded.tensors.push_back(at::from_blob(from, spec.shape, at::kFloat)
                                 .to(DeviceOf(options.device)));
    from += spec.size();
  }
  return loaded;
} catch (const std::exception& e) {
  return TorchError(e);
}

std::vector<std::string> NamesOf(absl::Span<const std::string> paths) {
  std::map<std::string, int> stems;
  for (const std::string& path : paths) ++stems[fs::path(path).stem().string()];
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    const std::string stem = fs::path(path).stem().string();
    names.push_back(stems[stem] == 1 ? stem : path);
  }
  return names;
}

// Returns the mean of the models' quantiles.
std::vector<double> MeanQuantiles(const std::vector<Loaded>& models) {
  std::vector<double> mean;
  double count = 0;
  for (const Loaded& model : models) {
    const std::vector<double>& own = model.facts.gray_quantiles;
    if (own.empty() || (!mean.empty() && own.size() != mean.size())) continue;
    mean.resize(own.size());
    for (size_t i = 0; i < own.size(); ++i) mean[i] += own[i];
    ++count;
  }
  for (double& value : mean) value /= count;
  return mean;
}

}  // namespace

struct Ensemble::Impl {
  // Shared by siblings, in different threads; never changed after Open.
  std::shared_ptr<const std::vector<Loaded>> models;
  ModelFacts facts;
  std::vector<std::string> names;
  ComputeDevice device;
  std::vector<std::unique_ptr<Network>> networks;

  absl::Status Build() {
    for (const Loaded& model : *models) {
      HILUM_ASSIGN_OR_RETURN(
          std::unique_ptr<Network> network,
          MakeNetwork(model.facts.architecture, model.tensors));
      networks.push_back(std::move(network));
    }
    return absl::OkStatus();
  }
};

Ensemble::Ensemble(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ensemble::~Ensemble() = default;

void Ensemble::SetThreads(int threads) {
  at::set_num_threads(std::max(1, threads));
}

const ModelFacts& Ensemble::facts() const { return impl_->facts; }
const std::vector<std::string>& Ensemble::names() const { return impl_->names; }

absl::StatusOr<std::unique_ptr<Ensemble>> Ensemble::Open(
    absl::Span<const std::string> paths, const EnsembleOptions& options) {
  auto models = std::make_shared<std::vector<Loaded>>();
  std::map<std::string, std::string> seen;  // path by SHA-256
  for (const std::string& path : paths) {
    HILUM_ASSIGN_OR_RETURN(Loaded loaded, Load(path, options));
    if (!models->empty()) {
      const absl::Status alike =
          CheckAlike(loaded.facts, models->front().facts);
      if (!alike.ok()) {
        return OfFile(path, absl::InvalidArgumentError(absl::StrCat(
                                alike.message(), " as in ", paths[0],
                                "; models that predict together are alike")));
      }
    }
    const auto [first, is_new] = seen.emplace(loaded.sha256, path);
    if (!is_new) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": the same file as ", first->second, "; give each once"));
    }
    models->push_back(std::move(loaded));
  }
  if (models->empty()) return absl::InvalidArgumentError("no model is given");
  auto impl = std::make_unique<Impl>();
  impl->facts = models->front().facts;
  impl->facts.gray_quantiles = MeanQuantiles(*models);
  impl->models = std::move(models);
  impl->names = NamesOf(paths);
  impl->device = options.device;
  HILUM_RETURN_IF_ERROR(impl->Build());
  return std::unique_ptr<Ensemble>(new Ensemble(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<Ensemble>> Ensemble::CreateSibling() const {
  auto impl = std::make_unique<Impl>();
  impl->models = impl_->models;
  impl->facts = impl_->facts;
  impl->names = impl_->names;
  impl->device = impl_->device;
  HILUM_RETURN_IF_ERROR(impl->Build());
  return std::unique_ptr<Ensemble>(new Ensemble(std::move(impl)));
}

absl::StatusOr<std::vector<std::vector<double>>> Ensemble::Predict(
    std::vector<float>& pixels) try {
  at::NoGradGuard no_grad;
  const ModelFacts& facts = impl_->facts;
  v1::Model model;
  model.set_preprocessing(facts.preprocessing);
  const at::Tensor input =
      NetworkInput(pixels, facts.input_size, facts.architecture, model,
                   DeviceOf(impl_->device));
  std::vector<std::vector<double>> all;
  for (const std::unique_ptr<Network>& network : impl_->networks) {
    // Blocks may compute in place, but never in their input's memory.
    const at::Tensor logits =
        Run(*network, 0, network->num_blocks() + 1, input, {})
            .to(at::kCPU, at::kFloat)
            .contiguous();
    std::vector<double>& probabilities = all.emplace_back();
    const size_t classes = facts.classes.size();
    const absl::Span<const float> values(logits.data_ptr<float>(),
                                         static_cast<size_t>(logits.numel()));
    for (size_t at = 0; at < values.size(); at += classes) {
      for (double value : LogSoftmax(values.subspan(at, classes))) {
        probabilities.push_back(std::exp(value));
      }
    }
  }
  return all;
} catch (const std::exception& e) {
  return TorchError(e);
}

}  // namespace hilum
