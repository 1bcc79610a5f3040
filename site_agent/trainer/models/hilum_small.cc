// SPDX-License-Identifier: Apache-2.0
// The forward pass that common/model/hilum_small.h describes.
#include "common/model/hilum_small.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include "absl/strings/str_cat.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {
namespace {

at::Tensor Conv(const at::Tensor& x, const at::Tensor& weight, int stride,
                int padding) {
  return at::conv2d(x, weight, {}, {stride, stride}, {padding, padding});
}

struct Norm {
  at::Tensor weight, bias;

  Norm(TensorTable& table, const std::string& name, int channels)
      : weight(table.Take(name + ".weight", {channels})),
        bias(table.Take(name + ".bias", {channels})) {}
  at::Tensor operator()(const at::Tensor& x) const {
    return at::group_norm(x, kHilumSmallGroups, weight, bias, 1e-5);
  }
};

struct Residual {
  int stride;
  at::Tensor conv1;
  Norm norm1;
  at::Tensor conv2;
  Norm norm2;
  at::Tensor shortcut;  // undefined: identity

  Residual(TensorTable& table, const std::string& name, int out, int in)
      : stride(in == out ? 1 : 2),
        conv1(table.Take(name + ".conv1.weight", {out, in, 3, 3})),
        norm1(table, name + ".norm1", out),
        conv2(table.Take(name + ".conv2.weight", {out, out, 3, 3})),
        norm2(table, name + ".norm2", out) {
    if (in != out) {
      shortcut = table.Take(name + ".shortcut.weight", {out, in, 1, 1});
    }
  }
  at::Tensor operator()(const at::Tensor& x) const {
    at::Tensor y = at::relu(norm1(Conv(x, conv1, stride, 1)));
    y = norm2(Conv(y, conv2, 1, 1));
    return at::relu(y + (shortcut.defined() ? Conv(x, shortcut, 2, 0) : x));
  }
};

class HilumSmallNetwork : public Network {
 public:
  HilumSmallNetwork(TensorTable& table, int num_classes)
      : Network(kHilumSmallStages + 1, kHilumSmallStages + 1),
        stem_(
            table.Take("stem.conv.weight", {kHilumSmallStemChannels, 1, 3, 3})),
        stem_norm_(table, "stem.norm", kHilumSmallStemChannels),
        stages_(kHilumSmallStages) {
    int channels = kHilumSmallStemChannels;
    for (int stage = 0; stage < kHilumSmallStages; ++stage) {
      for (int i = 0; i < kHilumSmallDepths[stage]; ++i) {
        stages_[stage].emplace_back(table,
                                    absl::StrCat("stage", stage + 1, ".", i),
                                    kHilumSmallChannels[stage], channels);
        channels = kHilumSmallChannels[stage];
      }
    }
    head_weight_ = table.Take("head.weight", {num_classes, channels});
    head_bias_ = table.Take("head.bias", {num_classes});
  }

  at::Tensor Block(int block, const at::Tensor& x, const Pass& pass) override {
    if (block == 0) return at::relu(stem_norm_(Conv(x, stem_, 2, 1)));
    if (block == num_blocks()) return at::linear(x, head_weight_, head_bias_);
    at::Tensor y = x;
    for (const Residual& residual : stages_[block - 1]) y = residual(y);
    return y;
  }

  at::Tensor Pool(const at::Tensor& map) override { return map.mean({2, 3}); }

 private:
  at::Tensor stem_;
  Norm stem_norm_;
  std::vector<std::vector<Residual>> stages_;
  at::Tensor head_weight_, head_bias_;
};

}  // namespace

std::unique_ptr<Network> MakeHilumSmall(TensorTable& table, int num_classes) {
  return std::make_unique<HilumSmallNetwork>(table, num_classes);
}

}  // namespace hilum
