// SPDX-License-Identifier: Apache-2.0
// The rules for a study (study.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/config/filled_study.h"

namespace hilum {
namespace {

TEST(StudyRulesTest, DefaultsMakeAValidStudy) {
  v1::Study study = Filled();
  EXPECT_TRUE(ValidateStudy(study).ok()) << ValidateStudy(study);
  EXPECT_EQ(study.sites(0), "a");
  EXPECT_EQ(study.aggregation().minimum_sites(), 2u);
  EXPECT_EQ(study.evaluation().primary(), v1::Evaluation::PRIMARY_POOLED);
}

// A study of an earlier release names no primary AUC and is still read.
TEST(StudyRulesTest, StudyWithoutAPrimaryAucIsValid) {
  v1::Study study = Filled();
  study.mutable_evaluation()->clear_primary();
  EXPECT_TRUE(ValidateStudy(study).ok()) << ValidateStudy(study);
  study.mutable_evaluation()->set_primary(v1::Evaluation::PRIMARY_FOLD_MEAN);
  FillStudyDefaults(study);
  EXPECT_EQ(study.evaluation().primary(), v1::Evaluation::PRIMARY_FOLD_MEAN);
}

TEST(StudyRulesTest, EachRuleRefusesAndNamesItsField) {
  struct Case {
    const char* field;
    void (*spoil)(v1::Study&);
  };
  const Case kCases[] = {
      {"name", [](v1::Study& s) { s.set_name("Lungs!"); }},
      {"description", [](v1::Study& s) { s.set_description("two\nlines"); }},
      {"description",
       [](v1::Study& s) { s.set_description(std::string(1001, 'x')); }},
      {"classes", [](v1::Study& s) { s.set_classes(1, "covid19"); }},
      {"classes", [](v1::Study& s) { s.set_classes(1, "a,b"); }},
      {"classes", [](v1::Study& s) { s.clear_classes(); }},
      {"sites", [](v1::Study& s) { s.set_sites(0, "b"); }},
      {"sites", [](v1::Study& s) { s.clear_sites(); }},
      {"site_keys",
       [](v1::Study& s) { s.add_site_keys(std::string(32, 'k')); }},
      {"site_keys",
       [](v1::Study& s) {
         s.add_site_keys(std::string(32, 'k'));
         s.add_site_keys(std::string(31, 'k'));
       }},
      {"site_keys",
       [](v1::Study& s) {
         s.add_site_keys(std::string(32, 'k'));
         s.add_site_keys(std::string(32, 'k'));
       }},
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
