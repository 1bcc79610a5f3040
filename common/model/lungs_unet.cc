// SPDX-License-Identifier: Apache-2.0
#include "common/model/lungs_unet.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/tensor_list.h"

namespace hilum {
namespace {

void AddBlock(TensorList& list, const std::string& name, int out, int in) {
  list.Conv(name + ".conv", out, in, 3);
  list.BatchNorm(name + ".norm", out);
}

}  // namespace

int UNetChannelsAbove(int level) {
  return level == 0 ? 1 : kUNetChannels[level - 1];
}

std::string UNetDownName(int level, int which) {
  return absl::StrCat("down.", level, ".", which);
}

std::string UNetUpName(int level) { return absl::StrCat("up.", level); }

Architecture LungsUNet(const ModelShape& shape) {
  TensorList list(shape);
  for (int level = 0; level < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    AddBlock(list, UNetDownName(level, 0), channels, UNetChannelsAbove(level));
    AddBlock(list, UNetDownName(level, 1), channels, channels);
  }
  for (int level = 0; level + 1 < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    list.Conv(UNetUpName(level) + ".from", channels, kUNetChannels[level + 1],
              1);
    AddBlock(list, UNetUpName(level) + ".conv", channels, 2 * channels);
  }
  list.ConvWithBias("head", 1, kUNetChannels[0], 1);
  return std::move(list).WithoutHead();
}

}  // namespace hilum
