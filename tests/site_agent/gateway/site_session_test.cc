// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/site_session.h"

#include <gtest/gtest.h>

#include "common/base/ids.h"

namespace hilum {
namespace {

using Do = SiteSession::Do;

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

TEST(SiteSessionTest, RefusedStudyIsInBothLists) {
  SiteSession session{{}};
  v1::NextTaskRequest poll = session.Poll({kHash}, {}, {kHash});
  EXPECT_EQ(poll.approved_studies_size(), 1);
  EXPECT_EQ(poll.known_studies_size(), 1);
}

TEST(SiteSessionTest, AnotherProtocolIsNamed) {
  SiteSession session{{}};
  v1::NextTaskResponse answer = TaskOf(v1::Task::TRAIN);
  answer.mutable_task()->mutable_header()->set_protocol_version(9);
  EXPECT_EQ(session.OnAnswer(answer, {kHash}).status().code(),
            absl::StatusCode::kFailedPrecondition);
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

}  // namespace
}  // namespace hilum
