// SPDX-License-Identifier: Apache-2.0
// How a study's tensors divide (architecture.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/architecture.h"

namespace hilum {
namespace {

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

std::string Names(const std::vector<TensorSpec>& tensors) {
  return absl::StrJoin(tensors, " ",
                       [](std::string* out, const TensorSpec& tensor) {
                         absl::StrAppend(out, tensor.name);
                       });
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

// ResNet's layer4 has five: four in its blocks, one in a shortcut.
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

// By type: neither "bn" nor "norm" is in these names of vgg16_bn's and of
// ResNet's shortcuts.
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

}  // namespace
}  // namespace hilum
