// SPDX-License-Identifier: Apache-2.0
#include "common/model/densenet.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/tensor_list.h"

namespace hilum {

Architecture DenseNet121(const ModelShape& shape) {
  TensorList list(shape);
  list.Conv("features.conv0", kDenseStem, shape.input_channels, 7);
  list.BatchNorm("features.norm0", kDenseStem);
  int channels = kDenseStem;
  for (int block = 1; block <= kDenseBlocks; ++block) {
    list.Block(block);
    for (int layer = 1; layer <= kDenseLayers[block - 1]; ++layer) {
      const std::string name =
          absl::StrCat("features.denseblock", block, ".denselayer", layer);
      list.BatchNorm(name + ".norm1", channels);
      list.Conv(name + ".conv1", kDenseBottleneck, channels, 1);
      list.BatchNorm(name + ".norm2", kDenseBottleneck);
      list.Conv(name + ".conv2", kDenseGrowth, kDenseBottleneck, 3);
      channels += kDenseGrowth;
    }
    if (block == kDenseBlocks) break;
    const std::string name = absl::StrCat("features.transition", block);
    list.BatchNorm(name + ".norm", channels);
    list.Conv(name + ".conv", channels / 2, channels, 1);
    channels /= 2;
  }
  list.BatchNorm("features.norm5", channels);
  return std::move(list).WithHead("classifier", channels, channels);
}

}  // namespace hilum
