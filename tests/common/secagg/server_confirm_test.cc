// SPDX-License-Identifier: Apache-2.0
// The confirmations that the coordinator accepts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ServerConfirmTest = StepTest;

TEST_F(ServerConfirmTest, ConfirmationOfAnotherListIsItsSendersAlone) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors some = cohort_.server().SurvivorsMessage();
  Remove(3, some);
  auto confirmation = cohort_.client(Site(0)).Confirm(some);
  ASSERT_TRUE(confirmation.ok());
  EXPECT_EQ(cohort_.server().OnConfirmation(Site(0), *confirmation).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(ServerConfirmTest, ConfirmationsOfFewerThanTheThresholdEndTheSum) {
  UpTo(cohort_, Step::kConfirm);
  const v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  for (int i = 0; i < 2; ++i) {
    auto confirmation = cohort_.client(Site(i)).Confirm(survivors);
    ASSERT_TRUE(confirmation.ok());
    ASSERT_TRUE(cohort_.server().OnConfirmation(Site(i), *confirmation).ok());
  }
  EXPECT_EQ(cohort_.server().Close().code(), absl::StatusCode::kAborted);
}

TEST_F(ServerConfirmTest, ConfirmationUnderAnothersNameIsItsSendersAlone) {
  UpTo(cohort_, Step::kConfirm);
  auto confirmation =
      cohort_.client(Site(0)).Confirm(cohort_.server().SurvivorsMessage());
  ASSERT_TRUE(confirmation.ok());
  EXPECT_EQ(cohort_.server().OnConfirmation(Site(1), *confirmation).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(cohort_.server().answered().empty());
}

}  // namespace
}  // namespace hilum
