// SPDX-License-Identifier: Apache-2.0
// A site's checks before it reveals shares, and the shares that it reveals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ClientUnmaskTest = StepTest;

// The attack that Confirm is for: different sites are told different
// survivors, so that one group reveals a site's own mask and the other its
// mask key.
TEST_F(ClientUnmaskTest,
       EquivocationOnSurvivorsIsSeenBeforeAnythingIsRevealed) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors all = cohort_.server().SurvivorsMessage();
  v1::Survivors some = all;
  Remove(3, some);
  v1::Confirmations confirmations;
  for (int i = 0; i < 3; ++i) {
    auto confirmation = cohort_.client(Site(i)).Confirm(i == 0 ? all : some);
    ASSERT_TRUE(confirmation.ok());
    v1::Confirmations::Entry& entry = *confirmations.add_entries();
    entry.set_site(Site(i).name());
    entry.set_signature(confirmation->signature());
  }
  for (int i = 0; i < 3; ++i) {
    ExpectDenied(cohort_.client(Site(i)).Unmask(confirmations).status(),
                 "tells sites different things");
  }
}

TEST_F(ClientUnmaskTest, TooFewConfirmationsRevealNothing) {
  UpTo(cohort_, Step::kUnmask);
  v1::Confirmations confirmations = cohort_.server().confirmations();
  confirmations.mutable_entries()->DeleteSubrange(2, 2);
  ExpectDenied(cohort_.client(Site(0)).Unmask(confirmations).status(),
               "only 2 sites have confirmed");
}

TEST_F(ClientUnmaskTest, OneConfirmationCountedTwiceIsSeen) {
  UpTo(cohort_, Step::kUnmask);
  v1::Confirmations confirmations = cohort_.server().confirmations();
  *confirmations.mutable_entries(3) = confirmations.entries(2);
  *confirmations.mutable_entries(1) = confirmations.entries(2);
  EXPECT_FALSE(cohort_.client(Site(0)).Unmask(confirmations).ok());
}

TEST_F(ClientUnmaskTest, SharesAreRevealedOnce) {
  UpTo(cohort_, Step::kUnmask);
  const v1::Confirmations& confirmations = cohort_.server().confirmations();
  ASSERT_TRUE(cohort_.client(Site(0)).Unmask(confirmations).ok());
  EXPECT_EQ(cohort_.client(Site(0)).Unmask(confirmations).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientUnmaskTest, NeverBothSharesOfOneSite) {
  cohort_.Leave(Site(3), Step::kMaskedInput);
  UpTo(cohort_, Step::kUnmask);
  for (int i = 0; i < 3; ++i) {
    auto revealed =
        cohort_.client(Site(i)).Unmask(cohort_.server().confirmations());
    ASSERT_TRUE(revealed.ok());
    ASSERT_EQ(revealed->shares_size(), 4);
    for (int v = 0; v < 4; ++v) {
      EXPECT_EQ(revealed->shares(v).site(), Site(v).name());
      EXPECT_EQ(revealed->shares(v).self_mask(), v != 3);
    }
  }
}

}  // namespace
}  // namespace hilum
