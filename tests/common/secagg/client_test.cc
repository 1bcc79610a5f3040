// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/client.h"

#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ClientTest = StepTest;

TEST_F(ClientTest, StepOutOfOrderIsRefusedAndEndsTheSitesPart) {
  SecAggClient& client = cohort_.client(Site(0));
  EXPECT_EQ(client.MaskedInput(v1::Inbox()).code(),
            absl::StatusCode::kFailedPrecondition);
  // A message that would have been right before is refused, too.
  EXPECT_EQ(client.AdvertiseKeys().status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientTest, NoStepIsTakenAfterOneThatFailed) {
  UpTo(cohort_, Step::kShareKeys);
  SecAggClient& client = cohort_.client(Site(0));
  ASSERT_FALSE(client.ShareKeys(v1::Roster()).ok());
  EXPECT_EQ(client.ShareKeys(cohort_.server().roster()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientTest, StepIsTakenOnce) {
  UpTo(cohort_, Step::kShareKeys);
  SecAggClient& client = cohort_.client(Site(0));
  ASSERT_TRUE(client.ShareKeys(cohort_.server().roster()).ok());
  EXPECT_EQ(client.ShareKeys(cohort_.server().roster()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hilum
