// SPDX-License-Identifier: Apache-2.0
#include "common/model/vgg16.h"

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

struct Convolution {
  int index;  // in torchvision's `features`
  int channels;
  int stage;
};

constexpr Convolution kConvolutions[] = {
    {0, 64, 0},   {2, 64, 0},   {5, 128, 1},  {7, 128, 1},  {10, 256, 2},
    {12, 256, 2}, {14, 256, 2}, {17, 512, 3}, {19, 512, 3}, {21, 512, 3},
    {24, 512, 4}, {26, 512, 4}, {28, 512, 4}};

void AddWeightAndBias(Architecture& architecture, const std::string& name,
                      std::vector<int64_t> shape, int block) {
  int64_t outputs = shape[0];
  architecture.tensors.push_back(
      {name + ".weight", std::move(shape), Init::kHeNormal, block});
  architecture.tensors.push_back(
      {name + ".bias", {outputs}, Init::kZero, block});
}

}  // namespace

Architecture Vgg16(int num_classes) {
  Architecture architecture{
      .name = "vgg16", .input_channels = 3, .num_blocks = 6, .tensors = {}};
  int channels = 3;
  for (const Convolution& conv : kConvolutions) {
    AddWeightAndBias(architecture, absl::StrCat("features.", conv.index),
                     {conv.channels, channels, 3, 3}, conv.stage);
    channels = conv.channels;
  }
  AddWeightAndBias(architecture, "classifier.0", {4096, 512 * 7 * 7}, 5);
  AddWeightAndBias(architecture, "classifier.3", {4096, 4096}, 5);
  AddWeightAndBias(architecture, "classifier.6", {num_classes, 4096}, 6);
  return architecture;
}

}  // namespace hilum
