// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/site_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"

namespace hilum {
namespace {

using Do = SiteSession::Do;
using testing::HasSubstr;

const std::string kHash(32, 'h');

v1::NextTaskResponse TaskOf(v1::Task::Kind kind) {
  v1::NextTaskResponse answer;
  answer.mutable_task()->set_kind(kind);
  v1::Header& header = *answer.mutable_task()->mutable_header();
  header.set_protocol_version(kProtocolVersion);
  header.set_study_hash(kHash);
  return answer;
}

TEST(SiteSessionTest, TaskOfAStudyNotApprovedIsNotActedUpon) {
  SiteSession session{{}};
  EXPECT_EQ(session.OnAnswer(TaskOf(v1::Task::TRAIN), {}).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST(SiteSessionTest, TrainerIsPreparedBeforeItTrainsAfterARestart) {
  SiteSession session{{}};
  auto action = session.OnAnswer(TaskOf(v1::Task::TRAIN), {kHash});
  ASSERT_TRUE(action.ok());
  EXPECT_EQ(action->what, Do::kTrain);
  EXPECT_TRUE(action->needs_prepare);
  session.OnPrepared(kHash);
  EXPECT_FALSE(
      session.OnAnswer(TaskOf(v1::Task::TRAIN), {kHash})->needs_prepare);
}

TEST(SiteSessionTest, EachStudyIsInOneList) {
  SiteSession session{{}};
  const std::string approved(32, 'a'), open(32, 'o');
  const v1::NextTaskRequest poll =
      session.Poll({kHash, approved, open}, {approved}, {kHash});
  EXPECT_THAT(poll.approved_studies(), testing::ElementsAre(approved));
  EXPECT_THAT(poll.known_studies(), testing::ElementsAre(open));
  EXPECT_THAT(poll.refused_studies(), testing::ElementsAre(kHash));
}

TEST(SiteSessionTest, AnotherProtocolIsNamed) {
  SiteSession session{{}};
  v1::NextTaskResponse answer = TaskOf(v1::Task::TRAIN);
  answer.mutable_task()->mutable_header()->set_protocol_version(9);
  EXPECT_EQ(session.OnAnswer(answer, {kHash}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SiteSessionTest, RoundsOfFewStepsNeedMasksAndABatch) {
  v1::Study study;
  for (const char* site : {"a", "b", "c"}) study.add_sites(site);
  study.mutable_training()->set_local_steps(1);
  study.mutable_training()->set_batch_size(32);
  study.mutable_aggregation()->set_secure_aggregation(
      v1::Aggregation::SECURE_AGGREGATION_ON);
  v1::Policy policy;
  EXPECT_TRUE(SiteSession(policy).CheckPolicy(study).ok());
  study.mutable_training()->set_batch_size(31);
  EXPECT_THAT(std::string(SiteSession(policy).CheckPolicy(study).message()),
              HasSubstr("policy.minimum_batch"));
  policy.set_minimum_batch(0);
  EXPECT_TRUE(SiteSession(policy).CheckPolicy(study).ok());
}

TEST(SiteSessionTest, PolicyLimitsCasesAndArchitectures) {
  v1::Policy policy;
  policy.set_minimum_cases(20);
  policy.add_architectures("vgg16");
  SiteSession session(policy);
  EXPECT_FALSE(session.CheckCases({19, 5}).ok());
  EXPECT_TRUE(session.CheckCases({5, 20}).ok());
  v1::Study study;
  study.mutable_model()->set_architecture("hilum_small");
  EXPECT_FALSE(session.CheckPolicy(study).ok());
  EXPECT_FALSE(SiteSession({}).CheckCases({7}).ok());
}

v1::Study StudyOf(int num_sites, bool secure) {
  v1::Study study;
  for (int i = 0; i < num_sites; ++i) study.add_sites(absl::StrCat("s", i));
  study.mutable_aggregation()->set_secure_aggregation(
      secure ? v1::Aggregation::SECURE_AGGREGATION_ON
             : v1::Aggregation::SECURE_AGGREGATION_OFF);
  return study;
}

TEST(SiteSessionTest, PolicyMayTakeSecureAggregationOnly) {
  v1::Policy policy;
  EXPECT_TRUE(SiteSession(policy).CheckPolicy(StudyOf(4, false)).ok());
  policy.set_require_secure_aggregation(true);
  SiteSession session(policy);
  EXPECT_TRUE(session.CheckPolicy(StudyOf(4, true)).ok());
  const absl::Status refused = session.CheckPolicy(StudyOf(4, false));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("policy.require_secure_aggregation"));
}

// A sum can be read with as many sites as the threshold, 2 n / 3 + 1 and at
// least 3; nothing guarantees that more take part.
TEST(SiteSessionTest, PolicysMinimumIsHeldAgainstTheThreshold) {
  struct Case {
    int num_sites;
    uint32_t threshold;
  };
  for (const Case& c : {Case{3, 3}, {4, 3}, {5, 4}, {6, 5}, {10, 7}}) {
    v1::Policy policy;
    for (uint32_t minimum = 0; minimum <= 11; ++minimum) {
      policy.set_minimum_survivors(minimum);
      SiteSession session(policy);
      const absl::Status status =
          session.CheckPolicy(StudyOf(c.num_sites, true));
      EXPECT_EQ(status.ok(), minimum <= c.threshold) << c.num_sites << status;
      if (!status.ok()) {
        EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
        EXPECT_THAT(std::string(status.message()),
                    HasSubstr(absl::StrCat(
                        "policy.minimum_survivors is ", minimum,
                        "; in this study a sum may contain only ", c.threshold,
                        " of ", c.num_sites, " sites")));
      }
    }
  }
}

}  // namespace
}  // namespace hilum
