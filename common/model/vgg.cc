// SPDX-License-Identifier: Apache-2.0
#include "common/model/vgg.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/tensor_list.h"

namespace hilum {

Architecture Vgg(const ModelShape& shape) {
  const bool norm = shape.name == "vgg16_bn";
  TensorList list(shape);
  int channels = shape.input_channels;
  int index = 0;  // in torchvision's `features`
  for (int stage = 0; stage < kVggStages; ++stage) {
    list.Block(stage);
    for (int i = 0; i < kVggDepths[stage]; ++i) {
      list.ConvWithBias(absl::StrCat("features.", index++), kVggChannels[stage],
                        channels, 3);
      channels = kVggChannels[stage];
      if (norm) list.BatchNorm(absl::StrCat("features.", index++), channels);
      ++index;  // the ReLU
    }
    ++index;  // the pooling
  }
  if (shape.head_units == 0) {
    list.Block(kVggStages);
    list.Linear("classifier.0", kVggHidden, channels * kVggPooled * kVggPooled);
    list.Linear("classifier.3", kVggHidden, kVggHidden);
  }
  return std::move(list).WithHead("classifier.6", kVggHidden, channels);
}

}  // namespace hilum
