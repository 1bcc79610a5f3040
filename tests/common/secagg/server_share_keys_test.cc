// SPDX-License-Identifier: Apache-2.0
// The sealed shares that the coordinator accepts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ServerShareKeysTest = StepTest;

TEST_F(ServerShareKeysTest, SealedShareThatDoesNotOpenCostsNobodyTheSum) {
  UpTo(cohort_, Step::kShareKeys);
  for (int i = 0; i < 4; ++i) {
    auto shares = cohort_.client(Site(i)).ShareKeys(cohort_.server().roster());
    ASSERT_TRUE(shares.ok());
    if (i == 2) shares->mutable_shares(0)->mutable_sealed()->back() ^= 1;
    ASSERT_TRUE(cohort_.server().OnShares(Site(i), *shares).ok());
  }
  ASSERT_TRUE(cohort_.server().Close().ok());
  ASSERT_TRUE(cohort_.MaskedInput().ok());
  ASSERT_TRUE(cohort_.Confirm().ok());
  ASSERT_TRUE(cohort_.Unmask().ok());
  EXPECT_EQ(cohort_.Sum().value(),
            cohort_.PlainSum(Consortium::Context(4).cohort));
}

TEST_F(ServerShareKeysTest, TruncatedAndMissingSharesAreRefused) {
  UpTo(cohort_, Step::kShareKeys);
  auto shares = cohort_.client(Site(0)).ShareKeys(cohort_.server().roster());
  ASSERT_TRUE(shares.ok());
  v1::SealedShares cut = *shares;
  cut.mutable_shares(1)->mutable_sealed()->pop_back();
  EXPECT_EQ(cohort_.server().OnShares(Site(0), cut).code(),
            absl::StatusCode::kInvalidArgument);
  cut = *shares;
  cut.mutable_shares()->RemoveLast();
  EXPECT_EQ(cohort_.server().OnShares(Site(0), cut).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
