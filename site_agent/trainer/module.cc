// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/module.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {
namespace {

// torchvision's, for networks with three channels.
constexpr float kMean[] = {0.485f, 0.456f, 0.406f};
constexpr float kDeviation[] = {0.229f, 0.224f, 0.225f};

absl::Status TorchError(const std::exception& e) {
  std::string what = e.what();
  return absl::InternalError(
      absl::StrCat("Torch: ", what.substr(0, what.find('\n'))));
}

}  // namespace

struct Module::Impl {
  ParameterLayout layout;
  v1::Optimizer optimizer;
  int size = 0, classes = 0, steps = 0;
  std::vector<at::Tensor> frozen, travelling;  // as the layout lists them
  std::vector<at::Tensor> first, second;       // the optimiser's, [travelling]
  std::unique_ptr<Network> network;

  at::Tensor Input(std::vector<float>& pixels) const {
    int64_t n = static_cast<int64_t>(pixels.size()) / (size * size);
    at::Tensor x = at::from_blob(pixels.data(), {n, 1, size, size}, at::kFloat);
    if (layout.architecture.input_channels == 1) return (x - 0.5) / 0.25;
    std::vector<at::Tensor> planes;
    for (int c = 0; c < 3; ++c) {
      planes.push_back(((x - kMean[c]) / kDeviation[c]).squeeze(1));
    }
    return at::stack(planes, 1);
  }

  void Step() {
    at::NoGradGuard no_grad;
    ++steps;
    const double rate = optimizer.learning_rate();
    for (size_t i = 0; i < travelling.size(); ++i) {
      at::Tensor& p = travelling[i];
      at::Tensor g = p.grad();
      if (!g.defined()) continue;
      if (optimizer.weight_decay() != 0) g = g + p * optimizer.weight_decay();
      if (optimizer.kind() == v1::Optimizer::KIND_ADAM) {
        first[i].mul_(0.9).add_(g, 0.1);
        second[i].mul_(0.999).addcmul_(g, g, 0.001);
        double bias1 = 1 - std::pow(0.9, steps);
        double bias2 = 1 - std::pow(0.999, steps);
        at::Tensor scale = at::sqrt(second[i] / bias2) + 1e-8;
        p.addcdiv_(first[i], scale, -rate / bias1);
      } else {
        first[i].mul_(optimizer.momentum()).add_(g);
        p.add_(first[i], -rate);
      }
      p.mutable_grad().zero_();
    }
  }
};

Module::Module(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Module::~Module() = default;

void Module::SetThreads(int threads) {
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  at::set_num_threads(std::max(1, threads));
}

absl::StatusOr<std::unique_ptr<Module>> Module::Create(
    const ParameterLayout& layout, const v1::Study& study) try {
  auto impl = std::make_unique<Impl>();
  impl->layout = layout;
  impl->optimizer = study.training().optimizer();
  impl->size = static_cast<int>(study.model().input_size());
  impl->classes = study.classes_size();
  if (impl->optimizer.kind() != v1::Optimizer::KIND_SGD &&
      impl->optimizer.kind() != v1::Optimizer::KIND_ADAM) {
    return absl::InvalidArgumentError("training.optimizer.kind: sgd or adam");
  }
  std::vector<at::Tensor> all;
  size_t travelling = 0;
  for (const TensorSpec& spec : layout.architecture.tensors) {
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    bool travels = travelling < layout.travelling.size() &&
                   layout.travelling[travelling].name == spec.name;
    travelling += travels;
    (travels ? impl->travelling : impl->frozen).push_back(tensor);
    tensor.set_requires_grad(travels);
    all.push_back(tensor);
  }
  HILUM_ASSIGN_OR_RETURN(impl->network,
                         MakeNetwork(layout.architecture, all, impl->classes));
  return std::unique_ptr<Module>(new Module(std::move(impl)));
} catch (const std::exception& e) {
  return TorchError(e);
}

namespace {

absl::Status Fill(std::vector<at::Tensor>& tensors, int64_t size,
                  absl::Span<const float> values) {
  if (static_cast<int64_t>(values.size()) != size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "weights have ", values.size(), " values, the network ", size));
  }
  const float* from = values.data();
  for (at::Tensor& tensor : tensors) {
    std::memcpy(tensor.data_ptr<float>(), from, tensor.numel() * sizeof(float));
    from += tensor.numel();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Module::LoadFrozen(absl::Span<const float> values) {
  return Fill(impl_->frozen, impl_->layout.frozen_size, values);
}

absl::Status Module::Load(absl::Span<const float> values) try {
  HILUM_RETURN_IF_ERROR(
      Fill(impl_->travelling, impl_->layout.travelling_size, values));
  impl_->steps = 0;
  impl_->first.clear();
  impl_->second.clear();
  for (at::Tensor& tensor : impl_->travelling) {
    impl_->first.push_back(at::zeros(tensor.sizes(), at::kFloat));
    impl_->second.push_back(at::zeros(tensor.sizes(), at::kFloat));
    if (tensor.grad().defined()) tensor.mutable_grad().zero_();
  }
  return absl::OkStatus();
} catch (const std::exception& e) {
  return TorchError(e);
}

std::vector<float> Module::Travelling() const {
  std::vector<float> out;
  out.reserve(impl_->layout.travelling_size);
  for (const at::Tensor& tensor : impl_->travelling) {
    const float* values = tensor.data_ptr<float>();
    out.insert(out.end(), values, values + tensor.numel());
  }
  return out;
}

absl::StatusOr<double> Module::TrainBatch(Batch& batch, Rng& dropout) try {
  const int64_t n = static_cast<int64_t>(batch.labels.size());
  std::vector<int64_t> labels(batch.labels.begin(), batch.labels.end());
  at::Tensor truth = at::from_blob(labels.data(), {n, 1}, at::kLong);
  at::Tensor weights = at::from_blob(batch.weights.data(), {n, 1}, at::kFloat);
  at::Tensor logits = Run(*impl_->network, 0, impl_->network->num_blocks() + 1,
                          impl_->Input(batch.pixels), {.dropout = &dropout});
  if (!batch.logit_offsets.empty()) {
    logits = logits + at::from_blob(batch.logit_offsets.data(),
                                    {1, impl_->classes}, at::kFloat);
  }
  at::Tensor sum =
      -(at::log_softmax(logits, 1).gather(1, truth) * weights).sum();
  double loss = sum.item<float>();
  if (!std::isfinite(loss)) {
    return absl::OutOfRangeError(
        "training loss is not finite; use a smaller learning rate");
  }
  (sum / static_cast<double>(n)).backward();
  impl_->Step();
  return loss;
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<std::vector<float>> Module::Predict(
    std::vector<float>& pixels) try {
  at::NoGradGuard no_grad;
  at::Tensor logits = Run(*impl_->network, 0, impl_->network->num_blocks() + 1,
                          impl_->Input(pixels), {})
                          .contiguous();
  const float* values = logits.data_ptr<float>();
  return std::vector<float>(values, values + logits.numel());
} catch (const std::exception& e) {
  return TorchError(e);
}

}  // namespace hilum
