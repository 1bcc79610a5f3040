// SPDX-License-Identifier: Apache-2.0
#include "common/model/densenet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/named_tensors.h"

namespace hilum {
namespace {

using testing::ElementsAre;

const Architecture kDense =
    DenseNet121({.name = "densenet121", .classes = 4, .input_channels = 3});

// Dense: a layer sees the channels of all before it in its block.
TEST(DenseNetTest, EachLayerTakesThirtyTwoChannelsMoreThanTheOneBefore) {
  for (int layer : {1, 2, 6}) {
    const std::string name =
        "features.denseblock1.denselayer" + std::to_string(layer);
    EXPECT_THAT(TensorNamed(kDense, name + ".conv1.weight").shape,
                ElementsAre(128, 64 + 32 * (layer - 1), 1, 1));
    EXPECT_THAT(TensorNamed(kDense, name + ".conv2.weight").shape,
                ElementsAre(32, 128, 3, 3));
  }
}

TEST(DenseNetTest, TransitionsHalveTheChannelsAndThereAreThree) {
  EXPECT_THAT(TensorNamed(kDense, "features.transition1.conv.weight").shape,
              ElementsAre(128, 256, 1, 1));
  EXPECT_THAT(TensorNamed(kDense, "features.transition3.conv.weight").shape,
              ElementsAre(512, 1024, 1, 1));
  EXPECT_EQ(TensorNamed(kDense, "features.transition4.conv.weight").name, "");
  EXPECT_THAT(TensorNamed(kDense, "classifier.weight").shape,
              ElementsAre(4, kDenseFeatures));
}

// last_blocks 1 trains block 4 with norm5, and the head.
TEST(DenseNetTest, TransitionBelongsToTheBlockBeforeIt) {
  EXPECT_EQ(TensorNamed(kDense, "features.transition1.conv.weight").block, 1);
  EXPECT_EQ(TensorNamed(kDense, "features.norm5.weight").block, 4);
  EXPECT_EQ(TensorNamed(kDense, "classifier.bias").block, 5);
  EXPECT_EQ(kDense.num_blocks, 5);
}

}  // namespace
}  // namespace hilum
