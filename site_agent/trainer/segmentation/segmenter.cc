// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segmenter.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
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
#include "site_agent/trainer/models/network.h"
#include "site_agent/trainer/optimizer.h"
#include "site_agent/trainer/segmentation/unet.h"

namespace hilum {
namespace {

constexpr int kLeastSize = 32, kMostSize = 1024;

absl::Status TorchError(const std::exception& e) {
  const std::string what = e.what();
  return absl::InternalError(
      absl::StrCat("Torch: ", what.substr(0, what.find('\n'))));
}

// Over each image's pixels.
at::Tensor Sums(const at::Tensor& x) { return x.sum({1, 2, 3}); }

at::Tensor SegmentLoss(const at::Tensor& logits, const at::Tensor& truth) {
  const at::Tensor p = at::sigmoid(logits);
  const at::Tensor dice =
      1 - (Sums(p * truth) * 2 + 1) / (Sums(p) + Sums(truth) + 1);
  return at::binary_cross_entropy_with_logits(logits, truth) + dice.mean();
}

}  // namespace

struct Segmenter::Impl {
  int size;
  std::vector<at::Tensor> tensors;  // registry order
  std::unique_ptr<UNet> network;
  std::unique_ptr<Optimizer> optimizer;

  absl::Status Build(absl::Span<const float> weights,
                     const v1::Training& training);
  at::Tensor Images(std::vector<float>& values) const {
    const int64_t pixels = int64_t{size} * size;
    return at::from_blob(
        values.data(),
        {static_cast<int64_t>(values.size()) / pixels, 1, size, size},
        at::kFloat);
  }
};

absl::Status Segmenter::Impl::Build(absl::Span<const float> weights,
                                    const v1::Training& training) {
  const Architecture architecture = SegmenterArchitecture();
  std::vector<at::Tensor> learned;
  size_t next = 0;
  for (const TensorSpec& spec : architecture.tensors) {
    const auto count = static_cast<size_t>(spec.size());
    if (weights.size() - next < count) break;
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    std::copy_n(weights.begin() + next, count, tensor.data_ptr<float>());
    next += count;
    if (IsLearned(spec.role)) {
      tensor.set_requires_grad(true);
      learned.push_back(tensor);
    }
    tensors.push_back(std::move(tensor));
  }
  if (tensors.size() != architecture.tensors.size() || next != weights.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(weights.size(), " weights, which are not a segmenter's"));
  }
  TensorTable table(architecture, tensors);
  network = std::make_unique<UNet>(table);
  HILUM_RETURN_IF_ERROR(table.Finish());
  const std::vector<int> distances(learned.size());
  optimizer =
      std::make_unique<Optimizer>(training, std::move(learned), distances);
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
    int size, absl::Span<const float> weights,
    const v1::Training& training) try {
  if (size < kLeastSize || size > kMostSize || size % kUNetMultiple != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("size ", size, " is not a multiple of ", kUNetMultiple,
                     " from ", kLeastSize, " to ", kMostSize, "; use 128"));
  }
  auto impl = std::make_unique<Impl>();
  impl->size = size;
  HILUM_RETURN_IF_ERROR(impl->Build(weights, training));
  return std::unique_ptr<Segmenter>(new Segmenter(std::move(impl)));
} catch (const std::exception& e) {
  return TorchError(e);
}

int Segmenter::size() const { return impl_->size; }

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
  const at::Tensor p = at::sigmoid((*impl_->network)(impl_->Images(pixels),
                                                     /*training=*/false))
                           .contiguous();
  const float* values = p.data_ptr<float>();
  return std::vector<float>(values, values + p.numel());
} catch (const std::exception& e) {
  return TorchError(e);
}

std::vector<float> Segmenter::Weights() const {
  std::vector<float> out;
  for (const at::Tensor& tensor : impl_->tensors) {
    const float* values = tensor.data_ptr<float>();
    out.insert(out.end(), values, values + tensor.numel());
  }
  return out;
}

}  // namespace hilum
