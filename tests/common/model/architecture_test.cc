// SPDX-License-Identifier: Apache-2.0
#include "common/model/architecture.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

v1::Study StudyOf(const std::string& architecture,
                  v1::Model::Trainable trainable, uint32_t last_blocks = 0) {
  v1::Study study;
  for (const char* label : {"a", "b", "c", "d"}) study.add_classes(label);
  study.mutable_model()->set_architecture(architecture);
  study.mutable_model()->set_trainable(trainable);
  study.mutable_model()->set_last_blocks(last_blocks);
  return study;
}

// The numbers are torchvision's documented num_params, with 1,000 classes.
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

// The keys are those of nn.Sequential(Linear, ReLU, Dropout, Linear) as `head`.
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

TEST(LayoutTest, HeadOnlyTravelsTheHeadAlone) {
  auto layout = StudyLayout(StudyOf("vgg16", v1::Model::TRAINABLE_HEAD));
  ASSERT_TRUE(layout.ok()) << layout.status();
  ASSERT_EQ(layout->travelling.size(), 2u);
  EXPECT_EQ(layout->travelling[0].name, "classifier.6.weight");
  EXPECT_EQ(layout->travelling_size, 4 * 4096 + 4);
  EXPECT_EQ(layout->frozen_size, 138357544 - 1000 * 4097);
}

TEST(LayoutTest, LastBlocksCountFromTheHeadBackwards) {
  auto layout =
      StudyLayout(StudyOf("hilum_small", v1::Model::TRAINABLE_LAST_BLOCKS, 1));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->travelling.front().name, "stage4.0.conv1.weight");
  EXPECT_EQ(layout->frozen_size + layout->travelling_size,
            Parameters(layout->architecture.tensors));
}

TEST(LayoutTest, AllTravelsEverything) {
  auto layout = StudyLayout(StudyOf("hilum_small", v1::Model::TRAINABLE_ALL));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_TRUE(layout->frozen.empty());
  EXPECT_EQ(layout->frozen_size, 0);
}

TEST(LayoutTest, GroupNormalisationTravelsWhateverBatchNormDoes) {
  v1::Study study = StudyOf("hilum_small", v1::Model::TRAINABLE_ALL);
  for (auto rule : {v1::Model::BATCH_NORM_FROZEN, v1::Model::BATCH_NORM_LOCAL,
                    v1::Model::BATCH_NORM_AVERAGED}) {
    study.mutable_model()->set_batch_norm(rule);
    auto layout = StudyLayout(study);
    ASSERT_TRUE(layout.ok()) << layout.status();
    EXPECT_TRUE(layout->frozen.empty());
    EXPECT_TRUE(layout->local.empty());
  }
}

std::string Names(const std::vector<TensorSpec>& tensors) {
  return absl::StrJoin(tensors, " ",
                       [](std::string* out, const TensorSpec& tensor) {
                         absl::StrAppend(out, tensor.name);
                       });
}

// ResNet's layer4 has five norms: four in its blocks, one in a shortcut.
TEST(LayoutTest, BatchNormOfTrainedBlocksIsFrozenLocalOrAveraged) {
  v1::Study study = StudyOf("resnet18", v1::Model::TRAINABLE_LAST_BLOCKS, 1);
  for (auto rule : {v1::Model::BATCH_NORM_FROZEN, v1::Model::BATCH_NORM_LOCAL,
                    v1::Model::BATCH_NORM_AVERAGED}) {
    study.mutable_model()->set_batch_norm(rule);
    auto layout = StudyLayout(study);
    ASSERT_TRUE(layout.ok()) << layout.status();
    EXPECT_EQ(layout->first_trained, 4);
    const bool averaged = rule == v1::Model::BATCH_NORM_AVERAGED;
    const bool local = rule == v1::Model::BATCH_NORM_LOCAL;
    EXPECT_EQ(layout->travelling.size(), 5 + 2 + (averaged ? 20u : 0u));
    EXPECT_EQ(layout->local.size(), local ? 20u : 0u);
    EXPECT_EQ(layout->local_size, local ? 5 * 4 * 512 : 0);
    EXPECT_EQ(layout->local_size, Parameters(layout->local));
    EXPECT_EQ(layout->frozen_size, Parameters(layout->frozen));
    EXPECT_EQ(layout->travelling_size, Parameters(layout->travelling));
    EXPECT_EQ(layout->frozen_size + layout->travelling_size,
              Parameters(layout->architecture.tensors));
    const std::string frozen = Names(layout->frozen);
    EXPECT_THAT(frozen, HasSubstr("layer3.1.bn2.running_var"));
    for (const TensorSpec& tensor : layout->local) {
      EXPECT_THAT(frozen, HasSubstr(tensor.name));
      EXPECT_TRUE(IsBatchNorm(tensor.role)) << tensor.name;
      EXPECT_EQ(tensor.block, 4) << tensor.name;
    }
  }
}

// Names do not decide: neither "bn" nor "norm" is in these names of vgg16_bn
// and of ResNet's shortcuts.
TEST(LayoutTest, BatchNormIsKnownByItsTypeNotItsName) {
  for (auto [architecture, name] :
       {std::pair{"vgg16_bn", "features.1.weight"},
        std::pair{"resnet18", "layer2.0.downsample.1.running_mean"},
        std::pair{"densenet121", "features.norm0.bias"}}) {
    v1::Study study = StudyOf(architecture, v1::Model::TRAINABLE_ALL);
    study.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_LOCAL);
    const ParameterLayout layout = StudyLayout(study).value();
    EXPECT_THAT(Names(layout.local), HasSubstr(name));
    EXPECT_THAT(Names(layout.travelling), testing::Not(HasSubstr(name)));
  }
}

TEST(LayoutTest, AHeadAloneHasNoBatchNorm) {
  v1::Study study = StudyOf("densenet121", v1::Model::TRAINABLE_HEAD);
  study.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_AVERAGED);
  const ParameterLayout layout = StudyLayout(study).value();
  EXPECT_EQ(Names(layout.travelling), "classifier.weight classifier.bias");
  EXPECT_TRUE(layout.local.empty());
}

TEST(LayoutTest, RefusesWhatItCannotLayOut) {
  for (const v1::Study& study :
       {StudyOf("hilum_small", v1::Model::TRAINABLE_LAST_BLOCKS, 6),
        StudyOf("hilum_small", v1::Model::TRAINABLE_LAST_BLOCKS, 0xffffffff),
        StudyOf("hilum_small", v1::Model::TRAINABLE_UNSPECIFIED),
        StudyOf("resnet17", v1::Model::TRAINABLE_ALL)}) {
    EXPECT_EQ(StudyLayout(study).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
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

// 138,240 draws: the sample deviation of a correct start is within 2 % of
// sqrt(2 / fan_in), except with probability below 1e-20.
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
