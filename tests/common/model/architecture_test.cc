// SPDX-License-Identifier: Apache-2.0
#include "common/model/architecture.h"

#include <cmath>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

int64_t Parameters(const std::vector<TensorSpec>& tensors) {
  int64_t total = 0;
  for (const TensorSpec& tensor : tensors) total += tensor.size();
  return total;
}

// torchvision's documented num_params, of 1,000 classes.
TEST(ArchitectureTest, ParametersAreAsManyAsPublished) {
  for (auto [name, published] :
       {std::pair{"vgg16", 138357544}, std::pair{"vgg16_bn", 138365992},
        std::pair{"resnet18", 11689512}, std::pair{"resnet50", 25557032},
        std::pair{"densenet121", 7978856}}) {
    const Architecture architecture = LookUpArchitecture({name, 1000}).value();
    std::vector<TensorSpec> learned;
    for (const TensorSpec& tensor : architecture.tensors) {
      if (IsLearned(tensor.role)) learned.push_back(tensor);
    }
    EXPECT_EQ(Parameters(learned), published) << name;
  }
}

TEST(ArchitectureTest, Vgg16BeginsAndEndsAsTorchvisions) {
  auto vgg = LookUpArchitecture({"vgg16", 1000});
  ASSERT_TRUE(vgg.ok()) << vgg.status();
  EXPECT_EQ(Parameters(vgg->tensors), 138357544);
  EXPECT_EQ(vgg->tensors.size(), 32u);
  EXPECT_EQ(vgg->tensors.front().name, "features.0.weight");
  EXPECT_EQ(vgg->tensors.back().name, "classifier.6.bias");
}

TEST(ArchitectureTest, HilumSmallStaysUnderAMillionAndAHalfParameters) {
  auto small = LookUpArchitecture({"hilum_small", 4});
  ASSERT_TRUE(small.ok()) << small.status();
  EXPECT_LT(Parameters(small->tensors), 1500000);
  EXPECT_GT(Parameters(small->tensors), 1000000);
}

TEST(ArchitectureTest, NamesAreDistinctAndBlocksNeverGoBack) {
  for (const std::string& name : KnownArchitectures()) {
    auto architecture = LookUpArchitecture({name, 4});
    ASSERT_TRUE(architecture.ok());
    std::set<std::string> names;
    int block = 0;
    for (const TensorSpec& tensor : architecture->tensors) {
      EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
      EXPECT_GE(tensor.block, block) << tensor.name;
      block = tensor.block;
    }
    EXPECT_EQ(block, architecture->num_blocks);
  }
}

TEST(ArchitectureTest, UnknownNameListsTheKnownOnes) {
  auto unknown = LookUpArchitecture({"vgg17", 4});
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown.status().message()),
              HasSubstr("hilum_small, vgg16"));
}

TEST(ArchitectureTest, RefusesShapesThatAreNone) {
  for (const ModelShape& shape :
       {ModelShape{"vgg16", 1}, ModelShape{"vgg16", 2, 4097},
        ModelShape{"vgg16", 2, -1}, ModelShape{"vgg16", 2, 0, 2}}) {
    EXPECT_EQ(LookUpArchitecture(shape).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

// Keys as nn.Sequential(Linear, ReLU, Dropout, Linear) under `head` has them.
TEST(ArchitectureTest, HeadUnitsReplaceWhatFollowsTheLastMap) {
  const Architecture vgg = LookUpArchitecture({"vgg16", 3, 40}).value();
  EXPECT_EQ(vgg.num_blocks, 5);
  ASSERT_EQ(vgg.tensors.size(), 26u + 4);
  EXPECT_EQ(vgg.tensors[26].name, "head.0.weight");
  EXPECT_THAT(vgg.tensors[26].shape, ElementsAre(40, 512));
  EXPECT_EQ(vgg.tensors[28].name, "head.3.weight");
  EXPECT_THAT(vgg.tensors[28].shape, ElementsAre(3, 40));
  EXPECT_EQ(vgg.tensors[28].block, 5);
}

TEST(ArchitectureTest, InputChannelsAreTheFirstConvolutions) {
  EXPECT_THAT(LookUpArchitecture({"vgg16", 2, 0, 1})->tensors[0].shape,
              ElementsAre(64, 1, 3, 3));
  EXPECT_THAT(LookUpArchitecture({"hilum_small", 2, 0, 3})->tensors[0].shape,
              ElementsAre(16, 3, 3, 3));
  EXPECT_EQ(LookUpArchitecture({"hilum_small", 2})->input_channels, 1);
}

TEST(ManifestTest, AnotherNameShapeOrOrderIsAnotherDigest) {
  const TensorSpec a{"a", {2, 3}, Init::kZero, 0};
  const TensorSpec b{"b", {6}, Init::kZero, 0};
  const TensorSpec turned{"a", {3, 2}, Init::kZero, 0};
  EXPECT_EQ(ManifestSha256({a, b}).size(), 32u);
  EXPECT_NE(ManifestSha256({a, b}), ManifestSha256({b, a}));
  EXPECT_NE(ManifestSha256({a}), ManifestSha256({turned}));
  EXPECT_NE(ManifestSha256({a}), ManifestSha256({b}));
}

// 138,240 draws: the sample deviation of a right start is
// within 2 % of sqrt(2 / fan_in) but with probability below 1e-20.
TEST(InitialWeightsTest, SpreadFollowsTheFanIn) {
  auto small = LookUpArchitecture({"hilum_small", 4});
  ASSERT_TRUE(small.ok());
  const std::vector<float> weights = InitialWeights(*small, 7);
  size_t offset = 0;
  for (const TensorSpec& tensor : small->tensors) {
    const size_t size = static_cast<size_t>(tensor.size());
    if (tensor.name == "stage4.0.conv1.weight") {
      double squares = 0;
      for (size_t i = 0; i < size; ++i) {
        squares += static_cast<double>(weights[offset + i]) *
                   static_cast<double>(weights[offset + i]);
      }
      const double expected = std::sqrt(2.0 / (96 * 9));
      EXPECT_NEAR(std::sqrt(squares / size), expected, 0.02 * expected);
    }
    if (tensor.name == "stage4.0.norm1.weight") {
      EXPECT_EQ(weights[offset], 1);
    }
    if (tensor.name == "stage4.0.norm2.weight") {
      EXPECT_EQ(weights[offset], 0);
    }
    offset += size;
  }
  EXPECT_EQ(offset, weights.size());
}

TEST(InitialWeightsTest, SameSeedSameBitsAnotherSeedOthers) {
  auto small = LookUpArchitecture({"hilum_small", 4});
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(InitialWeights(*small, 7), InitialWeights(*small, 7));
  EXPECT_NE(InitialWeights(*small, 7), InitialWeights(*small, 8));
}

}  // namespace
}  // namespace hilum
