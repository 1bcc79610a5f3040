// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/module.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/cause.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/classification/loss.h"
#include "site_agent/trainer/learning/mixed_precision.h"
#include "site_agent/trainer/learning/optimizer.h"
#include "site_agent/trainer/models/grad_cam.h"
#include "site_agent/trainer/models/network.h"
#include "site_agent/trainer/models/network_input.h"
#include "site_agent/trainer/models/ranks.h"

namespace hilum {
namespace {

absl::Status TorchError(const std::exception& e) {
  std::string what = e.what();
  return absl::InternalError(
      absl::StrCat("Torch: ", what.substr(0, what.find('\n'))));
}

// Tells a GPU's error, or that of the CPU's allocator, which has no type.
bool IsOutOfMemory(const c10::Error& e) {
  const absl::string_view what = e.what();
  return dynamic_cast<const c10::OutOfMemoryError*>(&e) != nullptr ||
         what.find("out of memory") != absl::string_view::npos ||
         what.find("allocate memory") != absl::string_view::npos;
}

at::Device DeviceOf(const ComputeDevice& device) {
  if (!device.cuda) return at::Device(at::kCPU);
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device.index));
}

// Returns the tensors' values one after the other.
std::vector<float> Joined(const std::vector<at::Tensor>& tensors,
                          int64_t size) {
  std::vector<float> out;
  out.reserve(static_cast<size_t>(size));
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor here = tensor.detach().cpu();
    const float* values = here.data_ptr<float>();
    out.insert(out.end(), values, values + here.numel());
  }
  return out;
}

absl::Status Fill(std::vector<at::Tensor>& tensors, int64_t size,
                  absl::Span<const float> values) try {
  if (static_cast<int64_t>(values.size()) != size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "weights have ", values.size(), " values, the network ", size));
  }
  at::NoGradGuard no_grad;
  const float* from = values.data();
  for (at::Tensor& tensor : tensors) {
    tensor.copy_(at::from_blob(const_cast<float*>(from), tensor.sizes(),
                               at::TensorOptions(at::kFloat)));
    from += tensor.numel();
  }
  return absl::OkStatus();
} catch (const std::exception& e) {
  return TorchError(e);
}

}  // namespace

struct Module::Impl {
  ParameterLayout layout;
  v1::Study study;
  ModuleOptions options;
  int64_t size = 0;          // one side of an image, in pixels
  int64_t feature_size = 0;  // set by the first FeatureSize()
  std::vector<int64_t> feature_shape;
  // In the layout's order. Siblings share `frozen`, the tensors of the blob.
  // `local` has copies of some of them, which this network trains.
  std::vector<at::Tensor> frozen, travelling, local;
  std::vector<at::Tensor> local_starts;  // in `frozen`
  std::unique_ptr<Network> network;
  std::unique_ptr<Optimizer> optimizer;

  int first_trained() const { return layout.first_trained; }
  int end() const { return network->num_blocks() + 1; }
  at::Tensor NewTensor(const TensorSpec& spec) const {
    return at::zeros(
        spec.shape,
        at::TensorOptions(at::kFloat).device(DeviceOf(options.device)));
  }

  absl::Status Build(const std::vector<at::Tensor>* shared_frozen);
  at::Tensor Here(const at::Tensor& tensor) const {
    return tensor.to(DeviceOf(options.device));
  }
  // Returns the input of the first trained block, [n, ...].
  at::Tensor Trained(Inputs& inputs);
  at::Tensor Logits(Inputs& inputs, const Pass& pass);
  double AddGradient(Batch& batch, int64_t first, int64_t count,
                     const Rng& dropout, Ranks* ranks);
  // Adds the gradients of the whole batch, in pieces where memory is short.
  absl::StatusOr<double> AddGradients(Batch& batch, const Rng& dropout);
  double AddGradientsOverRanks(Batch& batch, const Rng& dropout);
};

absl::Status Module::Impl::Build(const std::vector<at::Tensor>* shared_frozen) {
  std::vector<at::Tensor> all, learned;
  std::vector<int> distances;
  size_t next_frozen = 0, next_local = 0;
  for (const TensorSpec& spec : layout.architecture.tensors) {
    const bool travels = layout.Travels(spec);
    const bool stays = !travels && next_local < layout.local.size() &&
                       layout.local[next_local].name == spec.name;
    at::Tensor tensor;
    if (!travels) {
      tensor = shared_frozen == nullptr ? NewTensor(spec)
                                        : (*shared_frozen)[next_frozen];
      ++next_frozen;
      frozen.push_back(tensor);
    }
    if (stays) local_starts.push_back(tensor);
    if (travels || stays) {
      tensor = NewTensor(spec);
      next_local += stays;
      (travels ? travelling : local).push_back(tensor);
      if (IsLearned(spec.role)) {
        tensor.set_requires_grad(true);
        learned.push_back(tensor);
        distances.push_back(layout.architecture.num_blocks - spec.block);
      }
    }
    all.push_back(tensor);
  }
  HILUM_ASSIGN_OR_RETURN(network, MakeNetwork(layout.architecture, all));
  optimizer = std::make_unique<Optimizer>(study.training(), std::move(learned),
                                          distances);
  return absl::OkStatus();
}

at::Tensor Module::Impl::Trained(Inputs& inputs) {
  if (inputs.features) {
    std::vector<int64_t> shape = feature_shape;
    shape.insert(shape.begin(),
                 static_cast<int64_t>(inputs.values.size()) / feature_size);
    return Here(at::from_blob(inputs.values.data(), shape, at::kFloat));
  }
  const at::Tensor pixels =
      NetworkInput(inputs.values, size, layout.architecture, study.model(),
                   DeviceOf(options.device));
  if (first_trained() == 0) return pixels;
  at::NoGradGuard no_grad;
  return Run(*network, 0, first_trained(), pixels, {});
}

at::Tensor Module::Impl::Logits(Inputs& inputs, const Pass& pass) {
  return Run(*network, first_trained(), end(), Trained(inputs), pass);
}

// Adds the gradients of cases first .. first + count - 1 to those of the mean
// over the whole batch; returns these cases' part of the sum of losses.
double Module::Impl::AddGradient(Batch& batch, int64_t first, int64_t count,
                                 const Rng& dropout, Ranks* ranks) {
  const int64_t n = static_cast<int64_t>(batch.labels.size());
  const int64_t each = static_cast<int64_t>(batch.inputs.values.size()) / n;
  Inputs part = {.features = batch.inputs.features, .values = {}};
  if (count < n) {
    auto from = batch.inputs.values.begin() + first * each;
    part.values.assign(from, from + count * each);
  }
  std::vector<int64_t> labels(batch.labels.begin() + first,
                              batch.labels.begin() + first + count);
  const at::Tensor truth =
      Here(at::from_blob(labels.data(), {count, 1}, at::kLong));
  const at::Tensor weights =
      Here(at::from_blob(batch.weights.data() + first, {count, 1}, at::kFloat));
  Rng draws = dropout;
  const Pass pass = {
      .dropout = &draws,
      .update_statistics = layout.averages_batch_norm || layout.local_size > 0,
      .first = first,
      .total = n,
      .ranks = ranks};
  MixedPrecision mixed(options.bfloat16, options.device);
  at::Tensor logits =
      Logits(count < n ? part : batch.inputs, pass).to(at::kFloat);
  mixed.End();
  if (!batch.logit_offsets.empty()) {
    logits = logits +
             Here(at::from_blob(batch.logit_offsets.data(),
                                {1, layout.architecture.classes}, at::kFloat));
  }
  const at::Tensor sum = LossSum(logits, truth, weights, study.training());
  const double loss = sum.item<double>();
  // All ranks must make the same calls, even when one loss is not finite.
  if (std::isfinite(loss) || ranks != nullptr) {
    (sum / static_cast<double>(n)).backward();
  }
  return loss;
}

double Module::Impl::AddGradientsOverRanks(Batch& batch, const Rng& dropout) {
  Ranks& ranks = *options.ranks;
  const Ranks::Slice slice =
      ranks.SliceOf(static_cast<int64_t>(batch.labels.size()));
  const double part =
      AddGradient(batch, slice.first, slice.count, dropout, &ranks);
  std::vector<at::Tensor> sums = optimizer->Gradients();
  sums.push_back(at::full({1}, part, sums[0].options()));
  ranks.Sum(sums);
  return sums.back().item<double>();
}

absl::StatusOr<double> Module::Impl::AddGradients(Batch& batch,
                                                  const Rng& dropout) {
  const int64_t n = static_cast<int64_t>(batch.labels.size());
  const int64_t most = options.most_at_once > 0 ? options.most_at_once : n;
  for (int64_t piece = std::min(n, most); piece > 0; piece /= 2) try {
      double loss = 0;
      for (int64_t first = 0; first < n; first += piece) {
        loss += AddGradient(batch, first, std::min(piece, n - first), dropout,
                            nullptr);
      }
      return loss;
    } catch (const c10::Error& e) {
      if (!IsOutOfMemory(e)) return TorchError(e);
      optimizer->DropGradients();
    }
  return WithCause(absl::ResourceExhaustedError(absl::StrCat(
                       "device ", options.device.name(),
                       ": out of memory for even one case; use a smaller "
                       "model.input_size or another device")),
                   Cause::kOutOfMemory);
}

Module::Module(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Module::~Module() = default;

void Module::SetThreads(int threads) {
  at::set_num_threads(std::max(1, threads));
}

absl::StatusOr<std::unique_ptr<Module>> Module::Create(
    const ParameterLayout& layout, const v1::Study& study,
    const ModuleOptions& options) try {
  auto impl = std::make_unique<Impl>();
  impl->layout = layout;
  impl->study = study;
  impl->options = options;
  impl->size = static_cast<int64_t>(study.model().input_size());
  HILUM_RETURN_IF_ERROR(impl->Build(nullptr));
  return std::unique_ptr<Module>(new Module(std::move(impl)));
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<std::unique_ptr<Module>> Module::CreateSibling() const try {
  auto impl = std::make_unique<Impl>();
  impl->layout = impl_->layout;
  impl->study = impl_->study;
  impl->options = impl_->options;
  impl->size = impl_->size;
  impl->feature_size = impl_->feature_size;
  impl->feature_shape = impl_->feature_shape;
  HILUM_RETURN_IF_ERROR(impl->Build(&impl_->frozen));
  return std::unique_ptr<Module>(new Module(std::move(impl)));
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::Status Module::LoadFrozen(absl::Span<const float> values) {
  return Fill(impl_->frozen, impl_->layout.frozen_size, values);
}

absl::Status Module::LoadFrozenFile(const std::string& path) try {
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  uint64_t offset = 0;
  for (at::Tensor& tensor : impl_->frozen) {
    at::Tensor here = tensor.is_cpu() ? tensor : tensor.cpu();
    const size_t bytes = here.nbytes();
    HILUM_RETURN_IF_ERROR(ReadAt(fd.get(), offset,
                                 reinterpret_cast<char*>(here.data_ptr()),
                                 bytes, path));
    if (!tensor.is_cpu()) tensor.copy_(here);
    offset += bytes;
  }
  return absl::OkStatus();
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::Status Module::Load(absl::Span<const float> values) try {
  HILUM_RETURN_IF_ERROR(
      Fill(impl_->travelling, impl_->layout.travelling_size, values));
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < impl_->local.size(); ++i) {
    impl_->local[i].copy_(impl_->local_starts[i]);
  }
  impl_->optimizer->Reset();
  return absl::OkStatus();
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::Status Module::LoadLocal(absl::Span<const float> values) {
  return Fill(impl_->local, impl_->layout.local_size, values);
}

std::vector<float> Module::Travelling() const {
  return Joined(impl_->travelling, impl_->layout.travelling_size);
}

std::vector<float> Module::Local() const {
  return Joined(impl_->local, impl_->layout.local_size);
}

absl::StatusOr<int64_t> Module::FeatureSize() try {
  if (impl_->first_trained() == 0) return 0;
  if (impl_->feature_size > 0) return impl_->feature_size;
  Inputs black = {.features = false,
                  .values = std::vector<float>(
                      static_cast<size_t>(impl_->size * impl_->size))};
  at::NoGradGuard no_grad;
  const at::Tensor features = impl_->Trained(black);
  impl_->feature_shape = features.sizes().slice(1).vec();
  impl_->feature_size = features.numel();
  return impl_->feature_size;
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<std::vector<float>> Module::Features(
    std::vector<float>& pixels) try {
  HILUM_RETURN_IF_ERROR(FeatureSize().status());
  at::NoGradGuard no_grad;
  Inputs inputs = {.features = false, .values = std::move(pixels)};
  MixedPrecision mixed(impl_->options.bfloat16, impl_->options.device);
  const at::Tensor features =
      impl_->Trained(inputs).to(at::kFloat).contiguous();
  mixed.End();
  pixels = std::move(inputs.values);
  return Joined({features}, features.numel());
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<double> Module::TrainBatch(Batch& batch, double rate_factor,
                                          Rng& dropout) try {
  if (batch.inputs.features) HILUM_RETURN_IF_ERROR(FeatureSize().status());
  const Rng draws(dropout.Next(), "step");
  const int64_t n = static_cast<int64_t>(batch.labels.size());
  double loss = 0;
  // Each rank computes the whole batch if it has fewer cases than ranks.
  if (impl_->options.ranks != nullptr && n >= impl_->options.ranks->size()) {
    loss = impl_->AddGradientsOverRanks(batch, draws);
  } else {
    HILUM_ASSIGN_OR_RETURN(loss, impl_->AddGradients(batch, draws));
  }
  if (!std::isfinite(loss)) {
    return absl::OutOfRangeError(
        "training loss is not finite; use a smaller learning rate");
  }
  impl_->optimizer->Step(rate_factor);
  return loss;
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<std::vector<float>> Module::Heat(
    std::vector<float>& pixels, const std::vector<int>& classes) try {
  const at::Tensor input =
      NetworkInput(pixels, impl_->size, impl_->layout.architecture,
                   impl_->study.model(), DeviceOf(impl_->options.device));
  const at::Tensor maps = GradCam(*impl_->network, input)
                              .Maps(classes, CamMethod::kGradCam)
                              .contiguous();
  return Joined({maps}, maps.numel());
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<std::vector<float>> Module::Predict(Inputs& inputs) try {
  if (inputs.features) HILUM_RETURN_IF_ERROR(FeatureSize().status());
  at::NoGradGuard no_grad;
  MixedPrecision mixed(impl_->options.bfloat16, impl_->options.device);
  const at::Tensor logits = impl_->Logits(inputs, {}).to(at::kFloat);
  mixed.End();
  return Joined({logits.contiguous()}, logits.numel());
} catch (const std::exception& e) {
  return TorchError(e);
}

}  // namespace hilum
