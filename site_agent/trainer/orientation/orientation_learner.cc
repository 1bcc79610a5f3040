// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/orientation_learner.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/upright/orientation_network.h"
#include "site_agent/imaging/upright/turn.h"
#include "site_agent/trainer/learning/optimizer.h"
#include "site_agent/trainer/models/layers.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {
namespace {

constexpr int64_t kSide = kOrientationSide;
constexpr double kNormEps = 1e-5;  // BatchNorm's

absl::Status TorchError(const std::exception& e) {
  const std::string what = e.what();
  return absl::InternalError(
      absl::StrCat("Torch: ", what.substr(0, what.find('\n'))));
}

std::string ConvName(int layer) { return absl::StrCat("conv.", layer); }
std::string NormName(int layer) { return absl::StrCat("norm.", layer); }

// Returns the table with batch normalisation while learning, else with biases.
Architecture TableOf(bool learning) {
  Architecture table{.name = "hilum_orientation",
                     .input_channels = 1,
                     .num_blocks = 1,
                     .tensors = {},
                     .classes = 1};
  auto add = [&](std::string name, std::vector<int64_t> shape, Init init,
                 TensorRole role) {
    table.tensors.push_back({std::move(name), std::move(shape), init, 0, role});
  };
  int64_t in = 1;
  for (int layer = 0; layer < kOrientationLayers; ++layer) {
    const int64_t out = kOrientationChannels[layer];
    add(ConvName(layer) + ".weight", {out, in, 3, 3}, Init::kHeNormal,
        TensorRole::kWeight);
    if (learning) {
      const std::string name = NormName(layer);
      add(name + ".weight", {out}, Init::kOne, TensorRole::kBatchNormScale);
      add(name + ".bias", {out}, Init::kZero, TensorRole::kBatchNormShift);
      add(name + ".running_mean", {out}, Init::kZero, TensorRole::kRunningMean);
      add(name + ".running_var", {out}, Init::kOne,
          TensorRole::kRunningVariance);
    } else {
      add(ConvName(layer) + ".bias", {out}, Init::kZero, TensorRole::kBias);
    }
    in = out;
  }
  add("head.weight", {1, in * kOrientationMapSide * kOrientationMapSide},
      Init::kHeNormal, TensorRole::kWeight);
  return table;
}

// Copies `weights` into the table's first tensors; ends when they are used up.
std::vector<at::Tensor> TensorsOf(const Architecture& table,
                                  absl::Span<const float> weights) {
  std::vector<at::Tensor> tensors;
  for (const TensorSpec& spec : table.tensors) {
    const auto count = static_cast<size_t>(spec.size());
    if (weights.size() < count) break;
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    std::copy_n(weights.begin(), count, tensor.data_ptr<float>());
    weights.remove_prefix(count);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

at::Tensor Images(std::vector<float>& pixels) {
  const auto n = static_cast<int64_t>(pixels.size()) / (kSide * kSide);
  return at::from_blob(pixels.data(), {n, 1, kSide, kSide}, at::kFloat);
}

std::vector<float> ValuesOf(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  const float* values = flat.data_ptr<float>();
  return std::vector<float>(values, values + flat.numel());
}

// The network's layers, with batch normalisation or with biases.
class Layers {
 public:
  Layers(TensorTable& table, bool learning) : learning_(learning) {
    int in = 1;
    for (int layer = 0; layer < kOrientationLayers; ++layer) {
      const int out = kOrientationChannels[layer];
      convs_.emplace_back(
          table, ConvName(layer), out, in, 3,
          ConvOptions{.stride = 2, .padding = 1, .bias = !learning});
      if (learning) norms_.emplace_back(table, NormName(layer), out);
      in = out;
    }
    head_ = table.Take("head.weight", {1, int64_t{in} * kOrientationMapSide *
                                              kOrientationMapSide});
  }

  // Maps [n, 1, side, side] to [n].
  at::Tensor operator()(const at::Tensor& images, const Pass& pass) const {
    at::Tensor x = (images - 0.5) * 4;
    for (int layer = 0; layer < kOrientationLayers; ++layer) {
      x = convs_[layer](x);
      if (learning_) x = norms_[layer](x, pass);
      x = at::relu_(x);
    }
    return at::matmul(Dropout(x.flatten(1), pass), head_.view({-1}));
  }

 private:
  const bool learning_;
  std::vector<Conv> convs_;
  std::vector<BatchNorm> norms_;
  at::Tensor head_;
};

// Returns the eight possible originals of each image: [n * 8, side, side].
std::vector<float> AllTurns(absl::Span<const float> pixels) {
  std::vector<float> all;
  all.reserve(pixels.size() * kNumTurns);
  constexpr size_t kPixels = kSide * kSide;
  for (size_t at = 0; at < pixels.size(); at += kPixels) {
    for (int i = 0; i < kNumTurns; ++i) {
      const std::vector<float> turned =
          TurnPixels(kOrientationSide, kOrientationSide,
                     pixels.subspan(at, kPixels), Undoing(TurnOfIndex(i)));
      all.insert(all.end(), turned.begin(), turned.end());
    }
  }
  return all;
}

// `scores` [n, 8]. The first `upright` cases have the true turn 0; for the
// others all turns are equally likely.
at::Tensor Loss(const at::Tensor& scores, int upright) {
  const at::Tensor log_p = at::log_softmax(scores, 1);
  const int64_t n = scores.size(0);
  const at::Tensor known = log_p.narrow(0, 0, upright).select(1, 0).sum();
  const at::Tensor any = log_p.narrow(0, upright, n - upright).mean(1).sum();
  return -(known + any) / static_cast<double>(n);
}

}  // namespace

struct OrientationLearner::Impl {
  std::vector<at::Tensor> tensors;  // in the order of TableOf(true)
  std::unique_ptr<Layers> layers;
  std::unique_ptr<Optimizer> optimizer;
};

Architecture OrientationArchitecture() { return TableOf(false); }

OrientationLearner::OrientationLearner(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}
OrientationLearner::~OrientationLearner() = default;

void OrientationLearner::SetThreads(int threads) {
  at::set_num_threads(std::max(1, threads));
}

absl::StatusOr<std::unique_ptr<OrientationLearner>> OrientationLearner::Create(
    uint64_t seed, const v1::Training& training) try {
  auto impl = std::make_unique<Impl>();
  const Architecture table = TableOf(true);
  impl->tensors = TensorsOf(table, InitialWeights(table, seed));
  std::vector<at::Tensor> learned;
  for (size_t i = 0; i < impl->tensors.size(); ++i) {
    if (!IsLearned(table.tensors[i].role)) continue;
    impl->tensors[i].set_requires_grad(true);
    learned.push_back(impl->tensors[i]);
  }
  TensorTable tensors(table, impl->tensors);
  impl->layers = std::make_unique<Layers>(tensors, true);
  HILUM_RETURN_IF_ERROR(tensors.Finish());
  const std::vector<int> distances(learned.size());
  impl->optimizer =
      std::make_unique<Optimizer>(training, std::move(learned), distances);
  return std::unique_ptr<OrientationLearner>(
      new OrientationLearner(std::move(impl)));
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<double> OrientationLearner::TrainBatch(
    absl::Span<const float> pixels, int upright, double rate_factor,
    Rng& rng) try {
  std::vector<float> all = AllTurns(pixels);
  const at::Tensor scores = (*impl_->layers)(
      Images(all), {.dropout = &rng, .update_statistics = true});
  const at::Tensor loss = Loss(scores.view({-1, kNumTurns}), upright);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    return absl::OutOfRangeError("training loss is not finite");
  }
  loss.backward();
  impl_->optimizer->Step(rate_factor);
  return value;
} catch (const std::exception& e) {
  return TorchError(e);
}

std::vector<float> OrientationLearner::Weights() const {
  at::NoGradGuard no_grad;
  std::vector<float> out;
  auto append = [&](const at::Tensor& tensor) {
    const std::vector<float> values = ValuesOf(tensor);
    out.insert(out.end(), values.begin(), values.end());
  };
  auto next = impl_->tensors.begin();
  for (int layer = 0; layer < kOrientationLayers; ++layer) {
    const at::Tensor weight = *next++, scale = *next++, shift = *next++,
                     mean = *next++, variance = *next++;
    const at::Tensor factor = scale / at::sqrt(variance + kNormEps);
    append(weight * factor.view({-1, 1, 1, 1}));
    append(shift - mean * factor);
  }
  append(*next);
  return out;
}

absl::StatusOr<std::vector<float>> TorchOrientationScores(
    absl::Span<const float> weights, std::vector<float> pixels) try {
  at::NoGradGuard no_grad;
  const Architecture table = TableOf(false);
  const std::vector<at::Tensor> tensors = TensorsOf(table, weights);
  if (tensors.size() != table.tensors.size() ||
      weights.size() != OrientationWeightCount()) {
    return absl::InvalidArgumentError("not an orientation network's weights");
  }
  TensorTable given(table, tensors);
  const Layers layers(given, false);
  HILUM_RETURN_IF_ERROR(given.Finish());
  return ValuesOf(layers(Images(pixels), {}));
} catch (const std::exception& e) {
  return TorchError(e);
}

}  // namespace hilum
