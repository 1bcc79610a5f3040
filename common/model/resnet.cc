// SPDX-License-Identifier: Apache-2.0
#include "common/model/resnet.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/tensor_list.h"

namespace hilum {
namespace {

void AddNormed(TensorList& list, const std::string& conv,
               const std::string& norm, int out, int in, int kernel) {
  list.Conv(conv, out, in, kernel);
  list.BatchNorm(norm, out);
}

void AddResidual(TensorList& list, const std::string& name, int width, int out,
                 int in, bool bottleneck, bool downsamples) {
  if (bottleneck) {
    AddNormed(list, name + ".conv1", name + ".bn1", width, in, 1);
    AddNormed(list, name + ".conv2", name + ".bn2", width, width, 3);
    AddNormed(list, name + ".conv3", name + ".bn3", out, width, 1);
  } else {
    AddNormed(list, name + ".conv1", name + ".bn1", width, in, 3);
    AddNormed(list, name + ".conv2", name + ".bn2", out, width, 3);
  }
  if (downsamples) {
    AddNormed(list, name + ".downsample.0", name + ".downsample.1", out, in, 1);
  }
}

}  // namespace

const ResNetPlan& ResNetPlanOf(const std::string& name) {
  return name == "resnet50" ? kResNet50 : kResNet18;
}

Architecture ResNet(const ModelShape& shape) {
  const ResNetPlan& plan = ResNetPlanOf(shape.name);
  TensorList list(shape);
  AddNormed(list, "conv1", "bn1", kResNetStem, shape.input_channels, 7);
  int channels = kResNetStem;
  for (int layer = 0; layer < kResNetLayers; ++layer) {
    list.Block(layer + 1);
    const int out = kResNetWidths[layer] * plan.expansion;
    for (int i = 0; i < plan.depths[layer]; ++i) {
      AddResidual(list, absl::StrCat("layer", layer + 1, ".", i),
                  kResNetWidths[layer], out, channels, plan.bottleneck(),
                  channels != out);
      channels = out;
    }
  }
  return std::move(list).WithHead("fc", channels, channels);
}

}  // namespace hilum
