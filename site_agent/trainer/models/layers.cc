// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>

namespace hilum {

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
  return at::batch_norm(x, weight_, bias_, mean_, variance_,
                        pass.update_statistics && several,
                        /*momentum=*/0.1, /*eps=*/1e-5,
                        /*cudnn_enabled=*/true);
}

at::Tensor Dropout(const at::Tensor& x, Rng* rng) {
  if (rng == nullptr) return x;
  at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  float* values = mask.data_ptr<float>();
  uint64_t bits = 0;
  for (int64_t i = 0; i < mask.numel(); ++i) {
    if (i % 64 == 0) bits = rng->Next();
    values[i] = (bits >> (i % 64)) & 1 ? 2.0f : 0.0f;
  }
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
  return linears_[1](Dropout(at::relu_(y), pass.dropout));
}

at::Tensor GlobalAverage(const at::Tensor& map) {
  return at::mean(map, {2, 3});
}

}  // namespace hilum
