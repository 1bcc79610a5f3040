// SPDX-License-Identifier: Apache-2.0
#include "common/model/tensor_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace hilum {
namespace {

using testing::ElementsAre;

const ModelShape kShape = {
    .name = "tiny", .classes = 3, .head_units = 0, .input_channels = 1};

TEST(TensorListTest, LayersHaveTheKeysAndShapesOfPyTorchs) {
  TensorList list(kShape);
  list.ConvWithBias("c", 8, 2, 3);
  list.BatchNorm("n", 8);
  const Architecture made = std::move(list).WithHead("fc", 8, 8);
  ASSERT_EQ(made.tensors.size(), 8u);
  const char* const names[] = {"c.weight",  "c.bias",         "n.weight",
                               "n.bias",    "n.running_mean", "n.running_var",
                               "fc.weight", "fc.bias"};
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(made.tensors[i].name, names[i]);
  EXPECT_THAT(made.tensors[0].shape, ElementsAre(8, 2, 3, 3));
  EXPECT_THAT(made.tensors[6].shape, ElementsAre(3, 8));
}

// A variance that starts at 0 would divide by nearly nothing.
TEST(TensorListTest, NormalisationStartsAsTheIdentity) {
  TensorList list(kShape);
  list.BatchNorm("n", 8);
  list.GroupNorm("g", 8, Init::kZero);
  const Architecture made = std::move(list).WithoutHead();
  EXPECT_EQ(made.tensors[0].init, Init::kOne);
  EXPECT_EQ(made.tensors[1].init, Init::kZero);
  EXPECT_EQ(made.tensors[2].init, Init::kZero);
  EXPECT_EQ(made.tensors[3].init, Init::kOne);
  EXPECT_EQ(made.tensors[3].role, TensorRole::kRunningVariance);
  EXPECT_EQ(made.tensors[4].init, Init::kZero);  // as it was asked for
  EXPECT_FALSE(IsBatchNorm(made.tensors[4].role));
}

TEST(TensorListTest, HeadIsTheBlockBehindTheLast) {
  TensorList list(kShape);
  list.Conv("a", 4, 1, 3);
  list.Block(1);
  list.Conv("b", 4, 4, 3);
  const Architecture made = std::move(list).WithHead("fc", 4, 4);
  EXPECT_EQ(made.num_blocks, 2);
  EXPECT_EQ(made.tensors[0].block, 0);
  EXPECT_EQ(made.tensors[1].block, 1);
  EXPECT_EQ(made.tensors[2].block, 2);
}

TEST(TensorListTest, HeadUnitsStandInForTheArchitecturesOwnHead) {
  ModelShape shape = kShape;
  shape.head_units = 5;
  const Architecture made =
      TensorList(shape).WithHead("classifier.6", 4096, 512);
  ASSERT_EQ(made.tensors.size(), 4u);
  EXPECT_EQ(made.tensors[0].name, "head.0.weight");
  EXPECT_THAT(made.tensors[0].shape, ElementsAre(5, 512));
  EXPECT_EQ(made.tensors[2].name, "head.3.weight");
  EXPECT_THAT(made.tensors[2].shape, ElementsAre(3, 5));
}

}  // namespace
}  // namespace hilum
