// SPDX-License-Identifier: Apache-2.0
#include "common/config/step_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/study.h"

namespace hilum {
namespace {

using testing::HasSubstr;

v1::Study StudyOf(int sites = 3) {
  v1::Study study;
  study.set_name("lungs");
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (int i = 0; i < sites; ++i) {
    study.add_sites(std::string(1, static_cast<char>('a' + i)));
  }
  return study;
}

v1::Study Stepping(uint32_t steps, uint32_t batch, int sites = 3) {
  v1::Study study = StudyOf(sites);
  study.mutable_training()->set_local_steps(steps);
  study.mutable_training()->set_batch_size(batch);
  FillStudyDefaults(study);
  return study;
}

v1::Study Serving(v1::ServerOptimizer::Kind kind) {
  v1::Study study = StudyOf();
  study.mutable_aggregation()->mutable_server_optimizer()->set_kind(kind);
  FillStudyDefaults(study);
  return study;
}

TEST(StepRulesTest, RoundCountsInEpochsUnlessStepsAreGiven) {
  v1::Study study = StudyOf();
  FillStudyDefaults(study);
  EXPECT_EQ(study.training().local_epochs(), 1u);
  EXPECT_FALSE(study.training().has_local_steps());
  EXPECT_FALSE(study.aggregation().has_server_optimizer());
  study = Stepping(1, 64);
  EXPECT_FALSE(study.training().has_local_epochs());
  EXPECT_TRUE(ValidateStudy(study).ok()) << ValidateStudy(study);
  study.mutable_training()->set_batch_size(5000);
  EXPECT_TRUE(ValidateStudy(study).ok()) << ValidateStudy(study);
}

TEST(StepRulesTest, ServersNumbersHaveDefaults) {
  const v1::Study study = Serving(v1::ServerOptimizer::KIND_ADAMW);
  EXPECT_TRUE(ValidateStudy(study).ok()) << ValidateStudy(study);
  const v1::ServerOptimizer& server = study.aggregation().server_optimizer();
  EXPECT_EQ(server.learning_rate(), 0.001);
  EXPECT_EQ(server.beta1(), 0.9);
  EXPECT_EQ(server.beta2(), 0.99);
  EXPECT_EQ(server.epsilon(), 1e-6);
  EXPECT_EQ(server.schedule().kind(), v1::Schedule::KIND_CONSTANT);
  EXPECT_EQ(Serving(v1::ServerOptimizer::KIND_SGD)
                .aggregation()
                .server_optimizer()
                .learning_rate(),
            1);
}

TEST(StepRulesTest, EachRuleNamesItsField) {
  using Server = v1::ServerOptimizer;
  struct Case {
    const char* field;
    void (*spoil)(v1::Study&, v1::Training&, v1::Aggregation&, Server&);
  };
  const Case kCases[] = {
      {"training.local_steps",
       [](v1::Study&, v1::Training& t, v1::Aggregation&, Server&) {
         t.set_local_steps(2);  // beside local_epochs
       }},
      {"training.local_steps",
       [](v1::Study&, v1::Training& t, v1::Aggregation&, Server&) {
         t.clear_local_epochs();
         t.set_local_steps(0);
       }},
      {"training.local_epochs",
       [](v1::Study&, v1::Training& t, v1::Aggregation&, Server&) {
         t.set_local_epochs(0);
       }},
      {"training.batch_size", [](v1::Study&, v1::Training& t, v1::Aggregation&,
                                 Server&) { t.set_batch_size(5000); }},
      {"aggregation.normalization",
       [](v1::Study&, v1::Training& t, v1::Aggregation& a, Server&) {
         t.clear_local_epochs();
         t.set_local_steps(1);
         a.set_normalization(v1::Aggregation::NORMALIZATION_FEDNOVA);
       }},
      {"model.batch_norm",
       [](v1::Study& study, v1::Training&, v1::Aggregation& a, Server&) {
         study.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_AVERAGED);
         a.set_normalization(v1::Aggregation::NORMALIZATION_FEDNOVA);
       }},
      {"aggregation.server_optimizer.kind",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.clear_kind();
       }},
      {"aggregation.server_optimizer.momentum",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.set_momentum(0.9);
       }},
      {"aggregation.server_optimizer.weight_decay",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.set_kind(Server::KIND_YOGI);
         s.set_weight_decay(0.1);
       }},
      {"aggregation.server_optimizer.weight_decay",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.set_learning_rate(0.2);  // turns the weights round
         s.set_weight_decay(10);
       }},
      {"aggregation.server_optimizer.clip",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.set_clip(1e-320);
       }},
      {"aggregation.server_optimizer.learning_rate",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.set_learning_rate(1e-9);
       }},
      {"aggregation.server_optimizer.beta2",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.set_beta2(1);
       }},
      {"aggregation.server_optimizer.epsilon",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.set_epsilon(0);
       }},
      {"aggregation.server_optimizer.schedule.warmup_rounds",
       [](v1::Study&, v1::Training&, v1::Aggregation&, Server& s) {
         s.mutable_schedule()->set_warmup_rounds(11);
       }},
  };
  for (const Case& spoiled : kCases) {
    v1::Study study = Serving(Server::KIND_ADAMW);
    v1::Aggregation& aggregation = *study.mutable_aggregation();
    spoiled.spoil(study, *study.mutable_training(), aggregation,
                  *aggregation.mutable_server_optimizer());
    EXPECT_THAT(std::string(ValidateStudy(study).message()),
                HasSubstr(std::string("'") + spoiled.field + "' must"))
        << spoiled.field;
  }
}

TEST(StepRulesTest, SegmentationCountsInEpochs) {
  v1::Study study = StudyOf();
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  study.mutable_training()->set_local_steps(1);
  FillStudyDefaults(study);
  EXPECT_THAT(std::string(ValidateStudy(study).message()),
              HasSubstr("training.local_steps"));
}

TEST(StepRulesTest, FewStepsNeedMasksAndABatch) {
  const PolicyLimits limits;
  EXPECT_TRUE(CheckFewSteps(Stepping(1, 32), limits).ok());
  // However many steps: a small site has one case for several of them.
  EXPECT_FALSE(CheckFewSteps(Stepping(8, 1), limits).ok());
  EXPECT_TRUE(CheckFewSteps(Stepping(8, 32), limits).ok());
  const absl::Status small = CheckFewSteps(Stepping(7, 31), limits);
  EXPECT_EQ(small.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(small.message()), HasSubstr("batch_size: 32"));
  v1::Study open = Stepping(1, 64);
  open.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_OFF);
  EXPECT_THAT(std::string(CheckFewSteps(open, limits).message()),
              HasSubstr("needs secure aggregation"));
  EXPECT_THAT(std::string(CheckFewSteps(Stepping(1, 64, 2), limits).message()),
              HasSubstr("three sites or more"));
}

TEST(StepRulesTest, StepsAreOfAllSites) {
  v1::Study study = Stepping(1, 64, 4);
  EXPECT_THAT(std::string(CheckFewSteps(study, PolicyLimits()).message()),
              HasSubstr("aggregation.minimum_sites: 4"));
  study.mutable_aggregation()->set_minimum_sites(4);
  EXPECT_TRUE(CheckFewSteps(study, PolicyLimits()).ok());
}

TEST(StepRulesTest, OfficerMayAskForMoreOrLess) {
  v1::Policy policy;
  policy.set_minimum_batch(100);
  EXPECT_FALSE(CheckFewSteps(Stepping(1, 64), LimitsOf(policy)).ok());
  policy.set_minimum_batch(0);
  EXPECT_TRUE(CheckFewSteps(Stepping(1, 1), LimitsOf(policy)).ok());
  policy.clear_minimum_batch();
  policy.set_minimum_steps(20);
  EXPECT_FALSE(CheckFewSteps(Stepping(19, 16), LimitsOf(policy)).ok());
  // Nothing is hidden in a study of one site.
  EXPECT_TRUE(CheckFewSteps(Stepping(1, 1, 1), PolicyLimits()).ok());
}

}  // namespace
}  // namespace hilum
