// SPDX-License-Identifier: Apache-2.0
// The forward pass that common/model/resnet.h describes.
#include "common/model/resnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "site_agent/trainer/models/families.h"
#include "site_agent/trainer/models/layers.h"

namespace hilum {
namespace {

struct Normed {
  Conv conv;
  BatchNorm norm;

  Normed(TensorTable& table, const std::string& conv_name,
         const std::string& norm_name, int out, int in, int kernel, int stride)
      : conv(table, conv_name, out, in, kernel,
             {.stride = stride, .padding = kernel / 2}),
        norm(table, norm_name, out) {}
  at::Tensor operator()(const at::Tensor& x, const Pass& pass) const {
    return norm(conv(x), pass);
  }
};

struct Channels {
  int in, width, out;
};

class Residual {
 public:
  Residual(TensorTable& table, const std::string& name,
           const Channels& channels, bool bottleneck, int stride) {
    auto add = [&](int out, int in, int kernel, int step) {
      const size_t i = layers_.size() + 1;
      layers_.emplace_back(table, absl::StrCat(name, ".conv", i),
                           absl::StrCat(name, ".bn", i), out, in, kernel, step);
    };
    if (bottleneck) {
      add(channels.width, channels.in, 1, 1);
      add(channels.width, channels.width, 3, stride);
      add(channels.out, channels.width, 1, 1);
    } else {
      add(channels.width, channels.in, 3, stride);
      add(channels.out, channels.width, 3, 1);
    }
    if (channels.in != channels.out) {
      downsample_.emplace(table, name + ".downsample.0", name + ".downsample.1",
                          channels.out, channels.in, 1, stride);
    }
  }
  at::Tensor operator()(const at::Tensor& x, const Pass& pass) const {
    at::Tensor y = layers_[0](x, pass);
    for (size_t i = 1; i < layers_.size(); ++i) {
      y = layers_[i](at::relu_(y), pass);
    }
    y += downsample_ ? (*downsample_)(x, pass) : x;
    return at::relu_(y);
  }

 private:
  std::vector<Normed> layers_;
  std::optional<Normed> downsample_;  // absent: identity
};

class ResNetNetwork : public Network {
 public:
  ResNetNetwork(TensorTable& table, const Architecture& architecture,
                const ResNetPlan& plan)
      : Network(kResNetLayers + 1, kResNetLayers + 1),
        stem_(table, "conv1", "bn1", kResNetStem, architecture.input_channels,
              7, 2),
        layers_(kResNetLayers),
        head_(table, architecture, "fc", LastOf(plan), LastOf(plan)) {
    int in = kResNetStem;
    for (int layer = 0; layer < kResNetLayers; ++layer) {
      const int width = kResNetWidths[layer];
      const int out = width * plan.expansion;
      for (int i = 0; i < plan.depths[layer]; ++i) {
        layers_[layer].emplace_back(
            table, absl::StrCat("layer", layer + 1, ".", i),
            Channels{.in = in, .width = width, .out = out}, plan.bottleneck(),
            layer > 0 && i == 0 ? 2 : 1);
        in = out;
      }
    }
  }

  at::Tensor Block(int block, const at::Tensor& x, const Pass& pass) override {
    if (block == num_blocks()) return head_(x, pass);
    if (block == 0) {
      at::Tensor y = stem_(x, pass);
      return at::max_pool2d(at::relu_(y), {3, 3}, {2, 2}, {1, 1});
    }
    at::Tensor y = x;
    for (const Residual& residual : layers_[block - 1]) y = residual(y, pass);
    return y;
  }

  at::Tensor Pool(const at::Tensor& map) override { return GlobalAverage(map); }

 private:
  static int LastOf(const ResNetPlan& plan) {
    return kResNetWidths[kResNetLayers - 1] * plan.expansion;
  }

  Normed stem_;
  std::vector<std::vector<Residual>> layers_;
  Head head_;
};

}  // namespace

std::unique_ptr<Network> MakeResNet(TensorTable& table,
                                    const Architecture& architecture) {
  return std::make_unique<ResNetNetwork>(table, architecture,
                                         ResNetPlanOf(architecture.name));
}

}  // namespace hilum
