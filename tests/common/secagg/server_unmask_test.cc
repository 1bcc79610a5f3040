// SPDX-License-Identifier: Apache-2.0
// The coordinator's use of revealed shares, some of them wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ServerUnmaskTest = StepTest;

TEST_F(ServerUnmaskTest, OneWrongShareIsMadeUpForByTheOthers) {
  UpTo(cohort_, Step::kUnmask);
  for (int i = 0; i < 4; ++i) {
    auto revealed =
        cohort_.client(Site(i)).Unmask(cohort_.server().confirmations());
    ASSERT_TRUE(revealed.ok());
    if (i == 1) {
      for (v1::RevealedShare& share : *revealed->mutable_shares()) {
        share.mutable_share()->front() ^= 1;
      }
    }
    ASSERT_TRUE(cohort_.server().OnRevealed(Site(i), *revealed).ok());
  }
  ASSERT_TRUE(cohort_.server().Close().ok());
  EXPECT_EQ(cohort_.Sum().value(),
            cohort_.PlainSum(Consortium::Context(4).cohort));
}

TEST_F(ServerUnmaskTest, MoreWrongSharesThanThatGiveNoSum) {
  UpTo(cohort_, Step::kUnmask);
  for (int i = 0; i < 4; ++i) {
    auto revealed =
        cohort_.client(Site(i)).Unmask(cohort_.server().confirmations());
    if (i % 2 == 1) {
      revealed->mutable_shares(0)->mutable_share()->front() ^= 1;
    }
    ASSERT_TRUE(cohort_.server().OnRevealed(Site(i), *revealed).ok());
  }
  ASSERT_TRUE(cohort_.server().Close().ok());
  EXPECT_EQ(cohort_.Sum().status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hilum
