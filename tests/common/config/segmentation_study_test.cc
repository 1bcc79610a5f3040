// SPDX-License-Identifier: Apache-2.0
#include "common/config/segmentation_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/study.h"

namespace hilum {
namespace {

v1::Study Segmenting() {
  v1::Study study;
  study.set_name("lungs");
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  for (const char* label : {"covid19", "normal"}) study.add_classes(label);
  for (const char* site : {"a", "b"}) study.add_sites(site);
  return study;
}

TEST(SegmentationStudyTest, DefaultsAreThoseOfFindingLungsAndValid) {
  v1::Study study = Segmenting();
  FillStudyDefaults(study);
  EXPECT_TRUE(ValidateStudy(study).ok()) << ValidateStudy(study);
  EXPECT_EQ(study.model().architecture(), kSegmenterName);
  EXPECT_EQ(study.model().input_channels(), 1u);
  EXPECT_THAT(study.arms(), testing::ElementsAre(v1::ARM_WHOLE));
  EXPECT_EQ(FindSegmentationFault(study).field, "");
}

// A default never takes the place of what a file says, zeros among it.
TEST(SegmentationStudyTest, WhatIsGivenStays) {
  v1::Study study = Segmenting();
  study.mutable_model()->set_input_size(256);
  study.mutable_training()->mutable_augmentation()->set_shift(0);
  v1::Optimizer& optimizer = *study.mutable_training()->mutable_optimizer();
  optimizer.set_learning_rate(0.25);
  FillSegmentationDefaults(study);
  EXPECT_EQ(study.model().input_size(), 256u);
  EXPECT_EQ(study.training().augmentation().shift(), 0);
  EXPECT_EQ(optimizer.learning_rate(), 0.25);
  EXPECT_EQ(optimizer.kind(), v1::Optimizer::KIND_ADAMW);
}

TEST(SegmentationStudyTest, EachFaultIsNamedByItsField) {
  struct Case {
    const char* field;
    void (*spoil)(v1::Study&);
  };
  const Case kCases[] = {
      {"arms", [](v1::Study& s) { s.add_arms(v1::ARM_SEGMENTED); }},
      {"evaluation.localization",
       [](v1::Study& s) { s.mutable_evaluation()->set_localization(true); }},
      {"model.architecture",
       [](v1::Study& s) { s.mutable_model()->set_architecture("vgg16"); }},
      {"model.trainable",
       [](v1::Study& s) {
         s.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
       }},
      {"model.input_channels",
       [](v1::Study& s) { s.mutable_model()->set_input_channels(3); }},
      {"model.input_size",
       [](v1::Study& s) { s.mutable_model()->set_input_size(130); }},
      {"model.batch_norm",
       [](v1::Study& s) {
         s.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_LOCAL);
       }},
      {"training.focal_gamma",
       [](v1::Study& s) { s.mutable_training()->set_focal_gamma(2); }},
      {"training.precision",
       [](v1::Study& s) {
         s.mutable_training()->set_precision(v1::Training::PRECISION_BFLOAT16);
       }},
  };
  for (const Case& spoiled : kCases) {
    v1::Study study = Segmenting();
    FillStudyDefaults(study);
    spoiled.spoil(study);
    EXPECT_EQ(FindSegmentationFault(study).field, spoiled.field);
    EXPECT_THAT(std::string(ValidateStudy(study).message()),
                testing::HasSubstr(spoiled.field));
  }
}

}  // namespace
}  // namespace hilum
