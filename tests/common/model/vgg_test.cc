// SPDX-License-Identifier: Apache-2.0
#include "common/model/vgg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/named_tensors.h"

namespace hilum {
namespace {

using testing::ElementsAre;

Architecture Made(const std::string& name, int head_units = 0) {
  return Vgg({.name = name,
              .classes = 4,
              .head_units = head_units,
              .input_channels = 3});
}

// torchvision counts ReLUs and poolings, which have no tensors.
TEST(VggTest, IndicesOfConvolutionsAreTorchvisions) {
  const Architecture plain = Made("vgg16");
  for (int index : {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28}) {
    EXPECT_EQ(
        TensorNamed(plain, "features." + std::to_string(index) + ".weight")
            .shape.size(),
        4u)
        << index;
  }
  const Architecture normed = Made("vgg16_bn");
  EXPECT_THAT(TensorNamed(normed, "features.3.weight").shape,
              ElementsAre(64, 64, 3, 3));
  EXPECT_THAT(TensorNamed(normed, "features.41.running_var").shape,
              ElementsAre(512));
}

TEST(VggTest, OnlyTheOneWithBatchNormalisationHasIt) {
  for (const TensorSpec& tensor : Made("vgg16").tensors) {
    EXPECT_FALSE(IsBatchNorm(tensor.role)) << tensor.name;
  }
  EXPECT_EQ(Made("vgg16_bn").tensors.size(), 32u + 13 * 4);
}

TEST(VggTest, FirstLinearLayerTakesSevenBySevenPixelsOfTheLastMap) {
  EXPECT_THAT(TensorNamed(Made("vgg16"), "classifier.0.weight").shape,
              ElementsAre(4096, 25088));
  EXPECT_EQ(TensorNamed(Made("vgg16"), "classifier.3.weight").block, 5);
  EXPECT_EQ(TensorNamed(Made("vgg16"), "classifier.6.weight").block, 6);
}

TEST(VggTest, HeadUnitsTakeThePlaceOfAllLinearLayers) {
  const Architecture headed = Made("vgg16", 40);
  EXPECT_EQ(TensorNamed(headed, "classifier.0.weight").name, "");
  EXPECT_THAT(TensorNamed(headed, "head.0.weight").shape, ElementsAre(40, 512));
  EXPECT_EQ(headed.num_blocks, 5);
}

}  // namespace
}  // namespace hilum
