// SPDX-License-Identifier: Apache-2.0
// The forward pass that common/model/hilum_small.h describes.
#include "common/model/hilum_small.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/relu.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "site_agent/trainer/models/families.h"
#include "site_agent/trainer/models/layers.h"

namespace hilum {
namespace {

struct Norm {
  at::Tensor weight, bias;

  Norm(TensorTable& table, const std::string& name, int channels)
      : weight(table.Take(name + ".weight", {channels})),
        bias(table.Take(name + ".bias", {channels})) {}
  at::Tensor operator()(const at::Tensor& x) const {
    // LibTorch 1.13's CPU kernel takes tensors of one type only.
    return at::group_norm(x.to(weight.scalar_type()), kHilumSmallGroups, weight,
                          bias, 1e-5);
  }
};

struct Residual {
  Conv conv1;
  Norm norm1;
  Conv conv2;
  Norm norm2;
  std::optional<Conv> shortcut;  // absent: identity

  Residual(TensorTable& table, const std::string& name, int out, int in)
      : conv1(table, name + ".conv1", out, in, 3,
              {.stride = in == out ? 1 : 2, .padding = 1}),
        norm1(table, name + ".norm1", out),
        conv2(table, name + ".conv2", out, out, 3, {.padding = 1}),
        norm2(table, name + ".norm2", out) {
    if (in != out) {
      shortcut.emplace(table, name + ".shortcut", out, in, 1,
                       ConvOptions{.stride = 2});
    }
  }
  at::Tensor operator()(const at::Tensor& x) const {
    at::Tensor y = norm1(conv1(x));
    y = norm2(conv2(at::relu_(y)));
    y += shortcut ? (*shortcut)(x) : x;
    return at::relu_(y);
  }
};

class HilumSmallNetwork : public Network {
 public:
  HilumSmallNetwork(TensorTable& table, const Architecture& architecture)
      : Network(kHilumSmallStages + 1, kHilumSmallStages + 1),
        stem_(table, "stem.conv", kHilumSmallStemChannels,
              architecture.input_channels, 3, {.stride = 2, .padding = 1}),
        stem_norm_(table, "stem.norm", kHilumSmallStemChannels),
        stages_(kHilumSmallStages),
        head_(table, architecture, "head", kLast, kLast) {
    int channels = kHilumSmallStemChannels;
    for (int stage = 0; stage < kHilumSmallStages; ++stage) {
      for (int i = 0; i < kHilumSmallDepths[stage]; ++i) {
        stages_[stage].emplace_back(table,
                                    absl::StrCat("stage", stage + 1, ".", i),
                                    kHilumSmallChannels[stage], channels);
        channels = kHilumSmallChannels[stage];
      }
    }
  }

  at::Tensor Block(int block, const at::Tensor& x, const Pass& pass) override {
    if (block == num_blocks()) return head_(x, pass);
    if (block == 0) {
      at::Tensor y = stem_norm_(stem_(x));
      return at::relu_(y);
    }
    at::Tensor y = x;
    for (const Residual& residual : stages_[block - 1]) y = residual(y);
    return y;
  }

  at::Tensor Pool(const at::Tensor& map) override { return GlobalAverage(map); }

 private:
  static constexpr int kLast = kHilumSmallChannels[kHilumSmallStages - 1];

  Conv stem_;
  Norm stem_norm_;
  std::vector<std::vector<Residual>> stages_;
  Head head_;
};

}  // namespace

std::unique_ptr<Network> MakeHilumSmall(TensorTable& table,
                                        const Architecture& architecture) {
  return std::make_unique<HilumSmallNetwork>(table, architecture);
}

}  // namespace hilum
