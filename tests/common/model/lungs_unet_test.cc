// SPDX-License-Identifier: Apache-2.0
#include "common/model/lungs_unet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/named_tensors.h"

namespace hilum {
namespace {

using testing::ElementsAre;

const Architecture kUNet =
    LungsUNet({.name = "hilum_lungs_unet", .classes = 2, .input_channels = 1});

TEST(LungsUNetTest, DecoderTakesTheSkippedMapsBesideThoseFromBelow) {
  EXPECT_THAT(TensorNamed(kUNet, "up.0.from.weight").shape,
              ElementsAre(16, 32, 1, 1));
  EXPECT_THAT(TensorNamed(kUNet, "up.0.conv.conv.weight").shape,
              ElementsAre(16, 32, 3, 3));
  EXPECT_EQ(TensorNamed(kUNet, "up.3.from.weight").name, "");
}

TEST(LungsUNetTest, EncoderBeginsWithOneGrayChannel) {
  EXPECT_EQ(UNetChannelsAbove(0), 1);
  EXPECT_EQ(UNetChannelsAbove(3), 64);
  EXPECT_THAT(TensorNamed(kUNet, UNetDownName(0, 0) + ".conv.weight").shape,
              ElementsAre(16, 1, 3, 3));
  EXPECT_THAT(TensorNamed(kUNet, UNetDownName(3, 1) + ".conv.weight").shape,
              ElementsAre(128, 128, 3, 3));
}

// A head of its own would be shaped by a study's classes; lungs are one.
TEST(LungsUNetTest, ClassesChangeNoTensor) {
  const Architecture other = LungsUNet(
      {.name = "hilum_lungs_unet", .classes = 9, .input_channels = 1});
  EXPECT_EQ(ManifestSha256(other.tensors), ManifestSha256(kUNet.tensors));
  EXPECT_THAT(TensorNamed(kUNet, "head.weight").shape,
              ElementsAre(1, 16, 1, 1));
  EXPECT_EQ(TensorsOfBlock(kUNet, 0), static_cast<int>(kUNet.tensors.size()));
}

}  // namespace
}  // namespace hilum
