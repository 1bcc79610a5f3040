// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segmenter.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/lungs_unet.h"
#include "site_agent/trainer/learning/optimizer.h"
#include "site_agent/trainer/models/network.h"
#include "site_agent/trainer/segmentation/unet.h"

namespace hilum {
namespace {

constexpr int kLeastSize = 32, kMostSize = 1024;

absl::Status TorchError(const std::exception& e) {
  const std::string what = e.what();
  return absl::InternalError(
      absl::StrCat("Torch: ", what.substr(0, what.find('\n'))));
}

// Sums over each image's pixels.
at::Tensor Sums(const at::Tensor& x) { return x.sum({1, 2, 3}); }

// Returns the Dice loss of each image, [n].
at::Tensor DiceLosses(const at::Tensor& p, const at::Tensor& truth) {
  return 1 - (Sums(p * truth) * 2 + 1) / (Sums(p) + Sums(truth) + 1);
}

// Returns the mean over images.
at::Tensor SegmentLoss(const at::Tensor& logits, const at::Tensor& truth) {
  return at::binary_cross_entropy_with_logits(logits, truth) +
         DiceLosses(at::sigmoid(logits), truth).mean();
}

at::Tensor SegmentLosses(const at::Tensor& logits, const at::Tensor& truth) {
  return at::binary_cross_entropy_with_logits(logits, truth, {}, {},
                                              at::Reduction::None)
             .mean({1, 2, 3}) +
         DiceLosses(at::sigmoid(logits), truth);
}

template <typename T>
std::vector<T> Values(const at::Tensor& tensor) {
  const at::Tensor here = tensor.detach().cpu().contiguous();
  const float* values = here.data_ptr<float>();
  return std::vector<T>(values, values + here.numel());
}

}  // namespace

struct Segmenter::Impl {
  int size;
  at::Device device = at::kCPU;
  Architecture architecture;
  std::vector<at::Tensor> tensors;  // registry order
  std::unique_ptr<UNet> network;
  std::unique_ptr<Optimizer> optimizer;

  absl::Status Build(const v1::Training& training);
  absl::Status Fill(absl::Span<const float> weights);
  at::Tensor Images(std::vector<float>& values) const {
    const int64_t pixels = int64_t{size} * size;
    return at::from_blob(
               values.data(),
               {static_cast<int64_t>(values.size()) / pixels, 1, size, size},
               at::kFloat)
        .to(device);
  }
};

absl::Status Segmenter::Impl::Build(const v1::Training& training) {
  architecture = SegmenterArchitecture();
  std::vector<at::Tensor> learned;
  for (const TensorSpec& spec : architecture.tensors) {
    tensors.push_back(
        at::zeros(spec.shape, at::TensorOptions(at::kFloat).device(device)));
    if (!IsLearned(spec.role)) continue;
    tensors.back().set_requires_grad(true);
    learned.push_back(tensors.back());
  }
  TensorTable table(architecture, tensors);
  network = std::make_unique<UNet>(table);
  HILUM_RETURN_IF_ERROR(table.Finish());
  const std::vector<int> distances(learned.size());
  optimizer =
      std::make_unique<Optimizer>(training, std::move(learned), distances);
  return absl::OkStatus();
}

absl::Status Segmenter::Impl::Fill(absl::Span<const float> weights) {
  int64_t size = 0;
  for (const at::Tensor& tensor : tensors) size += tensor.numel();
  if (static_cast<int64_t>(weights.size()) != size) {
    return absl::InvalidArgumentError(
        absl::StrCat(weights.size(), " weights, which are not a segmenter's"));
  }
  at::NoGradGuard no_grad;
  const float* from = weights.data();
  for (size_t i = 0; i < tensors.size(); ++i) {
    tensors[i].copy_(at::from_blob(const_cast<float*>(from), tensors[i].sizes(),
                                   at::kFloat));
    from += tensors[i].numel();
    if (architecture.tensors[i].role == TensorRole::kRunningVariance) {
      tensors[i].clamp_min_(0);
    }
  }
  optimizer->Reset();
  return absl::OkStatus();
}

Architecture SegmenterArchitecture() {
  return LungsUNet(
      {.name = "hilum_lungs_unet", .classes = 2, .input_channels = 1});
}

Segmenter::Segmenter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Segmenter::~Segmenter() = default;

void Segmenter::SetThreads(int threads) {
  at::set_num_threads(std::max(1, threads));
}

absl::StatusOr<std::unique_ptr<Segmenter>> Segmenter::Create(
    int size, absl::Span<const float> weights, const v1::Training& training,
    const ComputeDevice& device) try {
  if (size < kLeastSize || size > kMostSize || size % kUNetMultiple != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("size ", size, " is not a multiple of ", kUNetMultiple,
                     " from ", kLeastSize, " to ", kMostSize, "; use 128"));
  }
  auto impl = std::make_unique<Impl>();
  impl->size = size;
  if (device.cuda) {
    impl->device =
        at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device.index));
  }
  HILUM_RETURN_IF_ERROR(impl->Build(training));
  HILUM_RETURN_IF_ERROR(impl->Fill(weights));
  return std::unique_ptr<Segmenter>(new Segmenter(std::move(impl)));
} catch (const std::exception& e) {
  return TorchError(e);
}

int Segmenter::size() const { return impl_->size; }

absl::Status Segmenter::Load(absl::Span<const float> weights) try {
  return impl_->Fill(weights);
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<double> Segmenter::TrainBatch(SegmentBatch& batch,
                                             double rate_factor) try {
  const at::Tensor logits = (*impl_->network)(impl_->Images(batch.pixels),
                                              /*training=*/true);
  const at::Tensor loss = SegmentLoss(logits, impl_->Images(batch.masks));
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    return absl::OutOfRangeError(
        "training loss is not finite; use a smaller learning rate");
  }
  loss.backward();
  impl_->optimizer->Step(rate_factor);
  return value;
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<std::vector<float>> Segmenter::Predict(
    std::vector<float>& pixels) try {
  at::NoGradGuard no_grad;
  return Values<float>(at::sigmoid(
      (*impl_->network)(impl_->Images(pixels), /*training=*/false)));
} catch (const std::exception& e) {
  return TorchError(e);
}

absl::StatusOr<SegmentOutcome> Segmenter::Try(SegmentBatch& batch) try {
  at::NoGradGuard no_grad;
  const at::Tensor logits =
      (*impl_->network)(impl_->Images(batch.pixels), /*training=*/false);
  return SegmentOutcome{.probabilities = Values<float>(at::sigmoid(logits)),
                        .losses = Values<double>(
                            SegmentLosses(logits, impl_->Images(batch.masks)))};
} catch (const std::exception& e) {
  return TorchError(e);
}

std::vector<float> Segmenter::Weights() const {
  std::vector<float> out;
  for (const at::Tensor& tensor : impl_->tensors) {
    const std::vector<float> values = Values<float>(tensor);
    out.insert(out.end(), values.begin(), values.end());
  }
  return out;
}

}  // namespace hilum
