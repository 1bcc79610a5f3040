// SPDX-License-Identifier: Apache-2.0
#include "common/model/weights_agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/config/study.h"
#include "common/model/model_facts.h"
#include "common/model/safetensors.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class WeightsAgreementTest : public testing::Test {
 protected:
  WeightsAgreementTest() {
    for (const char* label : {"a", "b"}) study_.add_classes(label);
    study_.add_arms(v1::ARM_WHOLE);
    FillStudyDefaults(study_);
    study_.mutable_model()->set_input_size(96);
  }
  ~WeightsAgreementTest() override { std::filesystem::remove(path_); }

  absl::StatusOr<WeightsAgreement> Compare(const WeightsMetadata& said,
                                           bool fresh_head = false) const {
    const Architecture small =
        LookUpArchitecture({.name = "hilum_small", .classes = 2}).value();
    EXPECT_TRUE(
        WriteSafetensors(path_, small, InitialWeights(small, 1), said).ok());
    return CompareWithStudy(WeightsFile::Open(path_).value(), study_,
                            {.fresh_head = fresh_head});
  }

  const std::string path_ =
      absl::StrCat(testing::TempDir(), "/agreement-", getpid(), ".safetensors");
  v1::Study study_;
};

TEST_F(WeightsAgreementTest, AFileThatFitsHasNoWarning) {
  const auto agreement = Compare({{"arm", "whole"},
                                  {"classes", "a,b"},
                                  {"input_size", "96"},
                                  {"task", "classification"}});
  ASSERT_TRUE(agreement.ok()) << agreement.status();
  EXPECT_THAT(agreement->warnings, IsEmpty());
  EXPECT_FALSE(agreement->replace_head);
}

TEST_F(WeightsAgreementTest, ASilentFileAgrees) {
  const auto agreement = Compare({});
  ASSERT_TRUE(agreement.ok()) << agreement.status();
  EXPECT_THAT(agreement->warnings, IsEmpty());
}

TEST_F(WeightsAgreementTest, ClassesInAnotherOrderAreRefused) {
  const auto agreement = Compare({{"classes", "b,a"}});
  EXPECT_EQ(agreement.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(agreement.status().message()),
      AllOf(HasSubstr(path_), HasSubstr("the classes b, a"),
            HasSubstr("the study's are a, b"), HasSubstr("--fresh-head")));
}

TEST_F(WeightsAgreementTest, AFreshHeadTakesOtherClasses) {
  const auto agreement = Compare({{"classes", "b,a"}}, /*fresh_head=*/true);
  ASSERT_TRUE(agreement.ok()) << agreement.status();
  EXPECT_TRUE(agreement->replace_head);
}

TEST_F(WeightsAgreementTest, AnotherInputSizeIsWarnedOfWithBothValues) {
  EXPECT_THAT(Compare({{"input_size", "128"}})->warnings,
              ElementsAre(AllOf(HasSubstr("model.input_size: 96"),
                                HasSubstr("at input_size 128"))));
}

TEST_F(WeightsAgreementTest, EachOtherArmIsWarnedOf) {
  study_.add_arms(v1::ARM_SEGMENTED);
  EXPECT_THAT(Compare({{"arm", "whole"}})->warnings,
              ElementsAre(AllOf(HasSubstr("arms: segmented"),
                                HasSubstr("on the arm whole"))));
}

TEST_F(WeightsAgreementTest,
       RateThatDestroysTheWeightsIsWarnedOfWithTheNumber) {
  v1::Optimizer& optimizer = *study_.mutable_training()->mutable_optimizer();
  optimizer.set_kind(v1::Optimizer::KIND_SGD);
  optimizer.set_learning_rate(0.03);
  optimizer.set_momentum(0.9);
  EXPECT_THAT(Compare({})->warnings,
              ElementsAre(HasSubstr("learning_rate: 0.03 with momentum 0.9 is "
                                    "0.3 in the long run")));
  optimizer.set_learning_rate(0.003);
  EXPECT_THAT(Compare({})->warnings, IsEmpty());
  optimizer.set_learning_rate(0.3);
  study_.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  EXPECT_THAT(Compare({})->warnings, IsEmpty()) << "the rest stays as it is";
}

TEST_F(WeightsAgreementTest, AnotherTaskIsRefused) {
  EXPECT_THAT(
      std::string(Compare({{"task", "segmentation"}}).status().message()),
      AllOf(HasSubstr("segmentation"), HasSubstr("classification")));
}

}  // namespace
}  // namespace hilum
