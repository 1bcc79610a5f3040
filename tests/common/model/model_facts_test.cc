// SPDX-License-Identifier: Apache-2.0
#include "common/model/model_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/zero_tensors.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const WeightsMetadata kSaid = {{"architecture", "hilum_small"},
                               {"arm", "segmented"},
                               {"classes", "a,b,c"},
                               {"gray_quantiles", "0.1,0.2,0.3,0.4,0.5"},
                               {"input_size", "96"},
                               {"judge_masks", "false"},
                               {"preprocessing", "hilum"},
                               {"task", "classification"},
                               {"track", "segmented-fold-2"}};

WeightsMetadata Without(const std::string& key) {
  WeightsMetadata metadata = kSaid;
  metadata.erase(key);
  return metadata;
}

class ModelFactsTest : public testing::Test {
 protected:
  absl::StatusOr<ModelFacts> Facts(const WeightsMetadata& metadata,
                                   const ModelNotes& notes = {}) const {
    return FactsOf(small_.tensors, metadata, notes);
  }
  std::string Error(const WeightsMetadata& metadata,
                    const ModelNotes& notes = {}) const {
    return std::string(Facts(metadata, notes).status().message());
  }

  const ZeroTensors small_{{.name = "hilum_small", .classes = 3}};
};

TEST_F(ModelFactsTest, AFileThatSaysAllNeedsNothingElse) {
  const ModelFacts facts = Facts(kSaid).value();
  EXPECT_EQ(facts.architecture.name, "hilum_small");
  EXPECT_THAT(facts.classes, ElementsAre("a", "b", "c"));
  EXPECT_EQ(facts.input_size, 96);
  EXPECT_EQ(facts.preprocessing, v1::Model::PREPROCESSING_HILUM);
  EXPECT_EQ(facts.arm, "segmented");
  EXPECT_EQ(facts.track, "segmented-fold-2");
  EXPECT_FALSE(facts.judge_masks);
  EXPECT_THAT(facts.gray_quantiles, ElementsAre(0.1, 0.2, 0.3, 0.4, 0.5));
}

TEST_F(ModelFactsTest, TheOptionForAMissingFactIsNamed) {
  EXPECT_THAT(Error(Without("classes")), HasSubstr("--classes"));
  EXPECT_THAT(Error(Without("input_size")), HasSubstr("--input-size"));
  EXPECT_THAT(Error(Without("preprocessing")), HasSubstr("--preprocessing"));
  EXPECT_TRUE(Facts({}, {.classes = {"a", "b", "c"},
                         .preprocessing = "imagenet",
                         .input_size = 64})
                  .ok());
}

TEST_F(ModelFactsTest, AnArmOfOlderFilesIsThatOfTheirTrack) {
  EXPECT_EQ(Facts(Without("arm"))->arm, "segmented");
  EXPECT_EQ(ArmSaid({{"track", "whole-final"}}), "whole");
  EXPECT_EQ(ArmSaid({{"track", "wholesale"}}), "");
  EXPECT_EQ(ArmSaid({}), "");
}

TEST_F(ModelFactsTest, ClassesMustBeAsManyAsTheHeadHas) {
  EXPECT_THAT(Error(kSaid, {.classes = {"a", "b"}}),
              HasSubstr("its head has 3 classes, and 2 are named"));
}

TEST_F(ModelFactsTest, AModelThatFindsLungsIsToldFromOneThatClassifies) {
  WeightsMetadata lungs = kSaid;
  lungs["task"] = "segmentation";
  EXPECT_THAT(Error(lungs), HasSubstr("segment run"));
  EXPECT_THAT(Error({{"hilum.segmenter.size", "128"}}),
              HasSubstr("segment run"));
}

TEST_F(ModelFactsTest, QuantilesThatAreNoNumbersCountAsNone) {
  WeightsMetadata bad = kSaid;
  bad["gray_quantiles"] = "0.1,dark";
  EXPECT_THAT(Facts(bad)->gray_quantiles, IsEmpty());
}

TEST_F(ModelFactsTest, ModelsThatDifferAreNamedWithBothValues) {
  const ModelFacts facts = Facts(kSaid).value();
  EXPECT_TRUE(CheckAlike(facts, facts).ok());
  const auto difference = [&](const std::string& key, const std::string& to) {
    WeightsMetadata other = kSaid;
    other[key] = to;
    return std::string(CheckAlike(Facts(other).value(), facts).message());
  };
  EXPECT_EQ(difference("classes", "b,a,c"),
            "its classes are b, a, c, not a, b, c");
  EXPECT_EQ(difference("input_size", "64"), "its input size is 64, not 96");
  EXPECT_EQ(difference("preprocessing", "imagenet"),
            "its preprocessing is imagenet, not hilum");
  EXPECT_EQ(difference("arm", "whole"), "its arm is whole, not segmented");
}

TEST_F(ModelFactsTest, AnotherArchitectureIsNamed) {
  const ZeroTensors other({.name = "resnet18", .classes = 3});
  WeightsMetadata said = kSaid;
  said["architecture"] = "resnet18";
  const ModelFacts resnet = FactsOf(other.tensors, said, {}).value();
  EXPECT_THAT(std::string(CheckAlike(resnet, Facts(kSaid).value()).message()),
              HasSubstr("its architecture is resnet18"));
}

}  // namespace
}  // namespace hilum
