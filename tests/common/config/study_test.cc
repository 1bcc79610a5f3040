// SPDX-License-Identifier: Apache-2.0
#include "common/config/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

v1::Study Filled() {
  v1::Study study;
  study.set_name("lungs");
  for (const char* label : {"covid19", "normal"}) study.add_classes(label);
  for (const char* site : {"b", "a"}) study.add_sites(site);
  FillStudyDefaults(study);
  return study;
}

TEST(StudyTest, DefaultsMakeAValidStudy) {
  v1::Study study = Filled();
  EXPECT_TRUE(ValidateStudy(study).ok()) << ValidateStudy(study);
  EXPECT_EQ(study.sites(0), "a");
  EXPECT_EQ(study.aggregation().minimum_sites(), 2u);
}

TEST(StudyTest, TracksAreFoldsThenFinalWithinEachArm) {
  v1::Study study = Filled();
  study.mutable_cross_validation()->set_folds(2);
  std::vector<std::string> names;
  for (const Track& track : StudyTracks(study)) {
    names.push_back(ArmTrackName(track));
  }
  EXPECT_THAT(names,
              testing::ElementsAre("segmented-fold-1", "segmented-fold-2",
                                   "segmented-final", "whole-fold-1",
                                   "whole-fold-2", "whole-final"));
}

TEST(StudyTest, BytesComeBackAsTheSameBytes) {
  std::string bytes = SerializeStudy(Filled());
  absl::StatusOr<v1::Study> read = ParseStudy(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(SerializeStudy(*read), bytes);
}

TEST(StudyTest, EachRuleRefusesAndNamesItsField) {
  struct Case {
    const char* field;
    void (*spoil)(v1::Study&);
  };
  const Case kCases[] = {
      {"name", [](v1::Study& s) { s.set_name("Lungs!"); }},
      {"classes", [](v1::Study& s) { s.set_classes(1, "covid19"); }},
      {"classes", [](v1::Study& s) { s.set_classes(1, "a,b"); }},
      {"classes", [](v1::Study& s) { s.clear_classes(); }},
      {"sites", [](v1::Study& s) { s.set_sites(0, "b"); }},
      {"sites", [](v1::Study& s) { s.clear_sites(); }},
      {"arms", [](v1::Study& s) { s.set_arms(1, v1::ARM_SEGMENTED); }},
      {"model.last_blocks",
       [](v1::Study& s) { s.mutable_model()->set_last_blocks(1); }},
      {"model.input_size",
       [](v1::Study& s) { s.mutable_model()->set_input_size(1 << 20); }},
      {"cross_validation.folds",
       [](v1::Study& s) { s.mutable_cross_validation()->set_folds(1); }},
      {"training.optimizer.learning_rate",
       [](v1::Study& s) {
         s.mutable_training()->mutable_optimizer()->set_learning_rate(-1);
       }},
      {"aggregation.minimum_sites",
       [](v1::Study& s) { s.mutable_aggregation()->set_minimum_sites(3); }},
      {"evaluation.score_bins",
       [](v1::Study& s) { s.mutable_evaluation()->set_score_bins(1); }},
  };
  for (const Case& spoiled : kCases) {
    v1::Study study = Filled();
    spoiled.spoil(study);
    absl::Status status = ValidateStudy(study);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument)
        << spoiled.field;
    EXPECT_THAT(std::string(status.message()),
                testing::HasSubstr(std::string("'") + spoiled.field + "'"));
  }
}

}  // namespace
}  // namespace hilum
