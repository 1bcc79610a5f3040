// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

// As TensorList, which wants a head that classifies.
class Table {
 public:
  explicit Table(std::string name)
      : architecture_{.name = std::move(name),
                      .input_channels = 1,
                      .num_blocks = 1,
                      .tensors = {},
                      .classes = 1} {}

  void Conv(const std::string& name, int out, int in, int kernel) {
    Add(name + ".weight", {out, in, kernel, kernel}, Init::kHeNormal,
        TensorRole::kWeight);
  }
  void Bias(const std::string& name, int out) {
    Add(name + ".bias", {out}, Init::kZero, TensorRole::kBias);
  }
  void Block(const std::string& name, int out, int in) {
    Conv(name + ".conv", out, in, 3);
    const std::string norm = name + ".norm";
    Add(norm + ".weight", {out}, Init::kOne, TensorRole::kBatchNormScale);
    Add(norm + ".bias", {out}, Init::kZero, TensorRole::kBatchNormShift);
    Add(norm + ".running_mean", {out}, Init::kZero, TensorRole::kRunningMean);
    Add(norm + ".running_var", {out}, Init::kOne, TensorRole::kRunningVariance);
  }
  Architecture Finish() && { return std::move(architecture_); }

 private:
  void Add(std::string name, std::vector<int64_t> shape, Init init,
           TensorRole role) {
    architecture_.tensors.push_back(
        {std::move(name), std::move(shape), init, 0, role});
  }

  Architecture architecture_;
};

int ChannelsAbove(int level) {
  return level == 0 ? 1 : kUNetChannels[level - 1];
}

std::string DownName(int level, int which) {
  return absl::StrCat("down.", level, ".", which);
}

std::string UpName(int level) { return absl::StrCat("up.", level); }

}  // namespace

Architecture UNetArchitecture() {
  Table table("hilum_lungs_unet");
  for (int level = 0; level < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    table.Block(DownName(level, 0), channels, ChannelsAbove(level));
    table.Block(DownName(level, 1), channels, channels);
  }
  for (int level = 0; level + 1 < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    table.Conv(UpName(level) + ".from", channels, kUNetChannels[level + 1], 1);
    table.Block(UpName(level) + ".conv", channels, 2 * channels);
  }
  table.Conv("head", 1, kUNetChannels[0], 1);
  table.Bias("head", 1);
  return std::move(table).Finish();
}

UNet::Block::Block(TensorTable& table, const std::string& name, int out, int in,
                   int stride)
    : conv(table, name + ".conv", out, in, 3, {.stride = stride, .padding = 1}),
      norm(table, name + ".norm", out) {}

at::Tensor UNet::Block::operator()(const at::Tensor& x,
                                   const Pass& pass) const {
  at::Tensor y = norm(conv(x), pass);
  return at::relu_(y);
}

UNet::UNet(TensorTable& table)
    : head_(table, "head", 1, kUNetChannels[0], 1, {.bias = true}) {
  for (int level = 0; level < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    downs_.push_back(
        {Block(table, DownName(level, 0), channels, ChannelsAbove(level), 2),
         Block(table, DownName(level, 1), channels, channels, 1)});
  }
  for (int level = 0; level + 1 < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    ups_.push_back(
        {Conv(table, UpName(level) + ".from", channels,
              kUNetChannels[level + 1], 1, {}),
         Block(table, UpName(level) + ".conv", channels, 2 * channels, 1)});
  }
}

at::Tensor UNet::operator()(const at::Tensor& x, bool training) const {
  const Pass pass = {.update_statistics = training};
  std::vector<at::Tensor> skips;
  at::Tensor y = (x - 0.5) * 4;
  for (const Down& down : downs_) {
    y = down.second(down.first(y, pass), pass);
    skips.push_back(y);
  }
  for (int level = kUNetLevels - 2; level >= 0; --level) {
    const at::Tensor& skip = skips[level];
    const at::Tensor larger = at::upsample_nearest2d(
        ups_[level].from(y), {skip.size(2), skip.size(3)});
    y = ups_[level].conv(at::cat({skip, larger}, 1), pass);
  }
  return at::upsample_bilinear2d(head_(y), {x.size(2), x.size(3)},
                                 /*align_corners=*/false);
}

}  // namespace hilum
