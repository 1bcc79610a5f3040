// SPDX-License-Identifier: Apache-2.0
#include "common/model/hilum_small.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/named_tensors.h"

namespace hilum {
namespace {

using testing::ElementsAre;

const Architecture kSmall =
    HilumSmall({.name = "hilum_small", .classes = 4, .input_channels = 1});

TEST(HilumSmallTest, BlocksStartAsTheirShortcut) {
  int last = 0;
  for (const TensorSpec& tensor : kSmall.tensors) {
    if (!tensor.name.ends_with(".norm2.weight")) continue;
    ++last;
    EXPECT_EQ(tensor.init, Init::kZero) << tensor.name;
  }
  EXPECT_EQ(last, 6);
  EXPECT_EQ(TensorNamed(kSmall, "stage1.0.norm1.weight").init, Init::kOne);
}

TEST(HilumSmallTest, OnlyAStagesFirstBlockHasAShortcut) {
  EXPECT_THAT(TensorNamed(kSmall, "stage4.0.shortcut.weight").shape,
              ElementsAre(160, 96, 1, 1));
  EXPECT_EQ(TensorNamed(kSmall, "stage4.1.shortcut.weight").name, "");
  EXPECT_THAT(TensorNamed(kSmall, "stage4.1.conv1.weight").shape,
              ElementsAre(160, 160, 3, 3));
}

// Averages of parameters lose nothing: there are no running statistics.
TEST(HilumSmallTest, NoTensorIsOfBatchNormalisation) {
  for (const TensorSpec& tensor : kSmall.tensors) {
    EXPECT_FALSE(IsBatchNorm(tensor.role)) << tensor.name;
  }
}

TEST(HilumSmallTest, GroupsDivideTheChannelsOfEveryNorm) {
  for (const TensorSpec& tensor : kSmall.tensors) {
    if (tensor.role != TensorRole::kNormScale) continue;
    EXPECT_EQ(tensor.size() % kHilumSmallGroups, 0) << tensor.name;
  }
}

}  // namespace
}  // namespace hilum
