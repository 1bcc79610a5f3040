// SPDX-License-Identifier: Apache-2.0
// The forward pass that common/model/vgg.h describes.
#include "common/model/vgg.h"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "site_agent/trainer/models/families.h"
#include "site_agent/trainer/models/layers.h"

namespace hilum {
namespace {

struct Layer {
  Conv conv;
  std::optional<BatchNorm> norm;

  // Advances `index` past the layer and its ReLU.
  Layer(TensorTable& table, int& index, int out, int in, bool normed)
      : conv(table, absl::StrCat("features.", index++), out, in, 3,
             {.padding = 1, .bias = true}) {
    if (normed) norm.emplace(table, absl::StrCat("features.", index++), out);
    ++index;
  }
  at::Tensor operator()(const at::Tensor& x, const Pass& pass) const {
    at::Tensor y = conv(x);
    if (norm) y = (*norm)(y, pass);
    return at::relu_(y);
  }
};

class VggNetwork : public Network {
 public:
  VggNetwork(TensorTable& table, const Architecture& architecture)
      : Network(architecture.num_blocks, kVggStages),
        stages_(kVggStages),
        head_(table, architecture, "classifier.6", kVggHidden,
              kVggChannels[kVggStages - 1]) {
    int channels = architecture.input_channels;
    int index = 0;
    for (int stage = 0; stage < kVggStages; ++stage) {
      for (int i = 0; i < kVggDepths[stage]; ++i) {
        stages_[stage].emplace_back(table, index, kVggChannels[stage], channels,
                                    architecture.name == "vgg16_bn");
        channels = kVggChannels[stage];
      }
      ++index;  // the pooling
    }
    if (architecture.head_units > 0) return;
    hidden_.emplace_back(table, "classifier.0", kVggHidden,
                         channels * kVggPooled * kVggPooled);
    hidden_.emplace_back(table, "classifier.3", kVggHidden, kVggHidden);
  }

  at::Tensor Block(int block, const at::Tensor& x, const Pass& pass) override {
    if (block == num_blocks()) return head_(x, pass);
    at::Tensor y = x;
    if (block < kVggStages) {
      for (const Layer& layer : stages_[block]) y = layer(y, pass);
      return at::max_pool2d(y, {2, 2}, {2, 2});
    }
    for (const Linear& hidden : hidden_) {
      y = hidden(y);
      y = Dropout(at::relu_(y), pass);
    }
    return y;
  }

  at::Tensor Pool(const at::Tensor& map) override {
    if (hidden_.empty()) return GlobalAverage(map);
    return at::adaptive_avg_pool2d(map, {kVggPooled, kVggPooled}).flatten(1);
  }

 private:
  std::vector<std::vector<Layer>> stages_;
  std::vector<Linear> hidden_;  // empty without head_units
  Head head_;
};

}  // namespace

std::unique_ptr<Network> MakeVgg(TensorTable& table,
                                 const Architecture& architecture) {
  return std::make_unique<VggNetwork>(table, architecture);
}

}  // namespace hilum
