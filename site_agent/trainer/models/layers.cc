// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>

#include "site_agent/trainer/models/ranks.h"

namespace hilum {
namespace {

constexpr double kMomentum = 0.1, kEpsilon = 1e-5;  // of batch normalisation

}  // namespace

Conv::Conv(TensorTable& table, const std::string& name, int out, int in,
           int kernel, const ConvOptions& options)
    : weight_(table.Take(name + ".weight", {out, in, kernel, kernel})),
      stride_(options.stride),
      padding_(options.padding) {
  if (options.bias) bias_ = table.Take(name + ".bias", {out});
}

at::Tensor Conv::operator()(const at::Tensor& x) const {
  return at::conv2d(x, weight_, bias_, {stride_, stride_},
                    {padding_, padding_});
}

Linear::Linear(TensorTable& table, const std::string& name, int out, int in)
    : weight_(table.Take(name + ".weight", {out, in})),
      bias_(table.Take(name + ".bias", {out})) {}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight_, bias_);
}

BatchNorm::BatchNorm(TensorTable& table, const std::string& name, int channels)
    : weight_(table.Take(name + ".weight", {channels})),
      bias_(table.Take(name + ".bias", {channels})),
      mean_(table.Take(name + ".running_mean", {channels})),
      variance_(table.Take(name + ".running_var", {channels})) {}

at::Tensor BatchNorm::operator()(const at::Tensor& x, const Pass& pass) const {
  const bool several = x.numel() > x.size(1);
  if (pass.update_statistics && pass.ranks != nullptr) {
    return OverRanks(x, pass);
  }
  return at::batch_norm(x, weight_, bias_, mean_, variance_,
                        pass.update_statistics && several, kMomentum, kEpsilon,
                        /*cudnn_enabled=*/true);
}

// Computes the statistics of the whole batch, of which each rank has a piece.
at::Tensor BatchNorm::OverRanks(const at::Tensor& x, const Pass& pass) const {
  const std::vector<int64_t> others =
      x.dim() == 4 ? std::vector<int64_t>{0, 2, 3} : std::vector<int64_t>{0};
  const double count = static_cast<double>(pass.total) *
                       static_cast<double>(x.numel()) /
                       static_cast<double>(x.size(0) * x.size(1));
  const at::Tensor mean =
      pass.ranks->DifferentiableSum(x.sum(others, /*keepdim=*/true)) / count;
  const at::Tensor centred = x - mean;
  const at::Tensor variance =
      pass.ranks->DifferentiableSum(
          (centred * centred).sum(others, /*keepdim=*/true)) /
      count;
  {
    at::NoGradGuard no_grad;
    mean_.mul_(1 - kMomentum).add_(mean.reshape(-1), kMomentum);
    variance_.mul_(1 - kMomentum)
        .add_(variance.reshape(-1), kMomentum * count / (count - 1));
  }
  return centred * at::rsqrt(variance + kEpsilon) * weight_.view_as(mean) +
         bias_.view_as(mean);
}

at::Tensor Dropout(const at::Tensor& x, const Pass& pass) {
  if (pass.dropout == nullptr) return x;
  // Draws the mask of the whole batch, of which x may be a piece.
  std::vector<int64_t> shape = x.sizes().vec();
  if (pass.total > 0) shape[0] = pass.total;
  at::Tensor mask = at::empty(shape, at::kFloat);
  float* values = mask.data_ptr<float>();
  uint64_t bits = 0;
  for (int64_t i = 0; i < mask.numel(); ++i) {
    if (i % 64 == 0) bits = pass.dropout->Next();
    values[i] = (bits >> (i % 64)) & 1 ? 2.0f : 0.0f;
  }
  mask = mask.narrow(0, pass.first, x.size(0));
  return x * mask.to(x.options());
}

Head::Head(TensorTable& table, const Architecture& architecture,
           const std::string& name, int in, int map_channels) {
  const int units = architecture.head_units;
  if (units == 0) {
    linears_.emplace_back(table, name, architecture.classes, in);
    return;
  }
  linears_.emplace_back(table, "head.0", units, map_channels);
  linears_.emplace_back(table, "head.3", architecture.classes, units);
}

at::Tensor Head::operator()(const at::Tensor& x, const Pass& pass) const {
  if (linears_.size() == 1) return linears_[0](x);
  at::Tensor y = linears_[0](x);
  return linears_[1](Dropout(at::relu_(y), pass));
}

at::Tensor GlobalAverage(const at::Tensor& map) {
  return at::mean(map, {2, 3});
}

}  // namespace hilum
