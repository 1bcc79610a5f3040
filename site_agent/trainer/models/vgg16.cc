// SPDX-License-Identifier: Apache-2.0
// The forward pass that common/model/vgg16.h describes.
#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include "absl/strings/str_cat.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {
namespace {

struct Layer {
  at::Tensor weight, bias;

  Layer(TensorTable& table, const std::string& name, std::vector<int64_t> shape)
      : weight(table.Take(name + ".weight", shape)),
        bias(table.Take(name + ".bias", {shape[0]})) {}
};

// Our own mask: Torch's generator is global, and two trainers of one process
// would draw from it in turn.
at::Tensor Dropout(const at::Tensor& x, Rng* rng) {
  if (rng == nullptr) return x;
  at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  float* values = mask.data_ptr<float>();
  uint64_t bits = 0;
  for (int64_t i = 0; i < mask.numel(); ++i) {
    if (i % 64 == 0) bits = rng->Next();
    values[i] = (bits >> (i % 64)) & 1 ? 2.0f : 0.0f;
  }
  return x * mask;
}

constexpr int kStages = 5;
constexpr int kDepths[kStages] = {2, 2, 3, 3, 3};

class Vgg16Network : public Network {
 public:
  Vgg16Network(TensorTable& table, int num_classes)
      : Network(kStages + 1, kStages), stages_(kStages) {
    constexpr int kIndex[] = {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};
    constexpr int kChannels[] = {64, 128, 256, 512, 512};
    int channels = 3;
    int i = 0;
    for (int stage = 0; stage < kStages; ++stage) {
      for (int layer = 0; layer < kDepths[stage]; ++layer, ++i) {
        stages_[stage].emplace_back(
            table, absl::StrCat("features.", kIndex[i]),
            std::vector<int64_t>{kChannels[stage], channels, 3, 3});
        channels = kChannels[stage];
      }
    }
    linears_.emplace_back(table, "classifier.0",
                          std::vector<int64_t>{4096, 512 * 7 * 7});
    linears_.emplace_back(table, "classifier.3",
                          std::vector<int64_t>{4096, 4096});
    linears_.emplace_back(table, "classifier.6",
                          std::vector<int64_t>{num_classes, 4096});
  }

  at::Tensor Block(int block, const at::Tensor& x, const Pass& pass) override {
    at::Tensor y = x;
    if (block < kStages) {
      for (const Layer& layer : stages_[block]) {
        y = at::relu(at::conv2d(y, layer.weight, layer.bias, {1, 1}, {1, 1}));
      }
      return at::max_pool2d(y, {2, 2}, {2, 2});
    }
    if (block == kStages) {
      for (int i : {0, 1}) {
        y = at::relu(at::linear(y, linears_[i].weight, linears_[i].bias));
        y = Dropout(y, pass.dropout);
      }
      return y;
    }
    return at::linear(y, linears_[2].weight, linears_[2].bias);
  }

  at::Tensor Pool(const at::Tensor& map) override {
    return at::adaptive_avg_pool2d(map, {7, 7}).flatten(1);
  }

 private:
  std::vector<std::vector<Layer>> stages_;
  std::vector<Layer> linears_;
};

}  // namespace

std::unique_ptr<Network> MakeVgg16(TensorTable& table, int num_classes) {
  return std::make_unique<Vgg16Network>(table, num_classes);
}

}  // namespace hilum
