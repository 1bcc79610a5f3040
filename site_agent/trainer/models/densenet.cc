// SPDX-License-Identifier: Apache-2.0
// The forward pass that common/model/densenet.h describes.
#include "common/model/densenet.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include "absl/strings/str_cat.h"
#include "site_agent/trainer/models/families.h"
#include "site_agent/trainer/models/layers.h"

namespace hilum {
namespace {

// Computes relu(norm(x)), then the convolution.
struct PreNormed {
  BatchNorm norm;
  Conv conv;

  PreNormed(TensorTable& table, const std::string& norm_name,
            const std::string& conv_name, int out, int in, int kernel)
      : norm(table, norm_name, in),
        conv(table, conv_name, out, in, kernel, {.padding = kernel / 2}) {}
  at::Tensor operator()(const at::Tensor& x, const Pass& pass) const {
    at::Tensor y = norm(x, pass);
    return conv(at::relu_(y));
  }
};

struct DenseLayer {
  PreNormed first, second;

  DenseLayer(TensorTable& table, const std::string& name, int in)
      : first(table, name + ".norm1", name + ".conv1", kDenseBottleneck, in, 1),
        second(table, name + ".norm2", name + ".conv2", kDenseGrowth,
               kDenseBottleneck, 3) {}
  at::Tensor operator()(const at::Tensor& x, const Pass& pass) const {
    return at::cat({x, second(first(x, pass), pass)}, 1);
  }
};

class DenseNetNetwork : public Network {
 public:
  DenseNetNetwork(TensorTable& table, const Architecture& architecture)
      : Network(kDenseBlocks + 1, kDenseBlocks + 1),
        stem_(table, "features.conv0", kDenseStem, architecture.input_channels,
              7, {.stride = 2, .padding = 3}),
        stem_norm_(table, "features.norm0", kDenseStem),
        layers_(kDenseBlocks),
        last_norm_(table, "features.norm5", kDenseFeatures),
        head_(table, architecture, "classifier", kDenseFeatures,
              kDenseFeatures) {
    int channels = kDenseStem;
    for (int block = 1; block <= kDenseBlocks; ++block) {
      for (int layer = 1; layer <= kDenseLayers[block - 1]; ++layer) {
        layers_[block - 1].emplace_back(
            table,
            absl::StrCat("features.denseblock", block, ".denselayer", layer),
            channels);
        channels += kDenseGrowth;
      }
      if (block == kDenseBlocks) break;
      const std::string name = absl::StrCat("features.transition", block);
      transitions_.emplace_back(table, name + ".norm", name + ".conv",
                                channels / 2, channels, 1);
      channels /= 2;
    }
  }

  at::Tensor Block(int block, const at::Tensor& x, const Pass& pass) override {
    if (block == num_blocks()) return head_(x, pass);
    if (block == 0) {
      at::Tensor y = stem_norm_(stem_(x), pass);
      return at::max_pool2d(at::relu_(y), {3, 3}, {2, 2}, {1, 1});
    }
    at::Tensor y = x;
    for (const DenseLayer& layer : layers_[block - 1]) y = layer(y, pass);
    if (block < kDenseBlocks) {
      return at::avg_pool2d(transitions_[block - 1](y, pass), {2, 2}, {2, 2});
    }
    y = last_norm_(y, pass);
    return at::relu_(y);
  }

  at::Tensor Pool(const at::Tensor& map) override { return GlobalAverage(map); }

 private:
  Conv stem_;
  BatchNorm stem_norm_;
  std::vector<std::vector<DenseLayer>> layers_;
  std::vector<PreNormed> transitions_;  // after all but the last block
  BatchNorm last_norm_;
  Head head_;
};

}  // namespace

std::unique_ptr<Network> MakeDenseNet(TensorTable& table,
                                      const Architecture& architecture) {
  return std::make_unique<DenseNetNetwork>(table, architecture);
}

}  // namespace hilum
