// SPDX-License-Identifier: Apache-2.0
#include "common/model/resnet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/named_tensors.h"

namespace hilum {
namespace {

using testing::ElementsAre;

Architecture Made(const std::string& name) {
  return ResNet({.name = name, .classes = 4, .input_channels = 1});
}

TEST(ResNetTest, PlansAreThoseOfTheirNames) {
  EXPECT_FALSE(ResNetPlanOf("resnet18").bottleneck());
  EXPECT_THAT(ResNetPlanOf("resnet18").depths, ElementsAre(2, 2, 2, 2));
  EXPECT_TRUE(ResNetPlanOf("resnet50").bottleneck());
  EXPECT_THAT(ResNetPlanOf("resnet50").depths, ElementsAre(3, 4, 6, 3));
}

// ResNet-50's first layer keeps the size, and still has four times the
// channels.
TEST(ResNetTest, ShortcutIsThereWhereTheChannelsChange) {
  const char* const kFirst = "layer1.0.downsample.0.weight";
  EXPECT_EQ(TensorNamed(Made("resnet18"), kFirst).name, "");
  EXPECT_THAT(TensorNamed(Made("resnet50"), kFirst).shape,
              ElementsAre(256, 64, 1, 1));
  for (const char* name : {"resnet18", "resnet50"}) {
    EXPECT_NE(TensorNamed(Made(name), "layer2.0.downsample.1.weight").name, "");
    EXPECT_EQ(TensorNamed(Made(name), "layer2.1.downsample.0.weight").name, "");
  }
}

TEST(ResNetTest, BottleneckNarrowsThenWidens) {
  const Architecture resnet = Made("resnet50");
  EXPECT_THAT(TensorNamed(resnet, "layer4.1.conv1.weight").shape,
              ElementsAre(512, 2048, 1, 1));
  EXPECT_THAT(TensorNamed(resnet, "layer4.1.conv2.weight").shape,
              ElementsAre(512, 512, 3, 3));
  EXPECT_THAT(TensorNamed(resnet, "layer4.1.conv3.weight").shape,
              ElementsAre(2048, 512, 1, 1));
  EXPECT_THAT(TensorNamed(resnet, "fc.weight").shape, ElementsAre(4, 2048));
}

TEST(ResNetTest, StemIsBlockZeroAndTakesTheInputsChannels) {
  const Architecture resnet = Made("resnet18");
  EXPECT_THAT(TensorNamed(resnet, "conv1.weight").shape,
              ElementsAre(64, 1, 7, 7));
  EXPECT_EQ(TensorsOfBlock(resnet, 0), 5);
  EXPECT_EQ(TensorNamed(resnet, "fc.weight").block, 5);
}

}  // namespace
}  // namespace hilum
