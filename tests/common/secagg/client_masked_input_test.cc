// SPDX-License-Identifier: Apache-2.0
// A site's checks before it masks its vector.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ClientMaskedInputTest = StepTest;

TEST_F(ClientMaskedInputTest, SharesFromTooFewAreRefused) {
  UpTo(cohort_, Step::kMaskedInput);
  v1::Inbox inbox = cohort_.server().InboxFor(Site(0));
  inbox.mutable_shares()->DeleteSubrange(1, 2);
  ExpectDenied(cohort_.client(Site(0)).MaskedInput(inbox), "of at least 3");
}

TEST_F(ClientMaskedInputTest, ShareOfASiteOutsideTheRosterIsRefused) {
  cohort_.Leave(Site(3), Step::kAdvertiseKeys);
  UpTo(cohort_, Step::kMaskedInput);
  v1::Inbox inbox = cohort_.server().InboxFor(Site(0));
  *inbox.add_shares() = inbox.shares(0);
  inbox.mutable_shares()->rbegin()->set_site("s3");
  ExpectDenied(cohort_.client(Site(0)).MaskedInput(inbox),
               "a share of s3, which is not in the roster");
}

TEST_F(ClientMaskedInputTest, ShareOfTheSiteItselfAndAnUnsortedListAreRefused) {
  UpTo(cohort_, Step::kMaskedInput);
  v1::Inbox itself = cohort_.server().InboxFor(Site(0));
  itself.mutable_shares(0)->set_site("s0");
  EXPECT_EQ(cohort_.client(Site(0)).MaskedInput(itself).code(),
            absl::StatusCode::kInvalidArgument);
  v1::Inbox unsorted = cohort_.server().InboxFor(Site(1));
  unsorted.mutable_shares()->SwapElements(0, 1);
  EXPECT_EQ(cohort_.client(Site(1)).MaskedInput(unsorted).code(),
            absl::StatusCode::kInvalidArgument);
}

// Masking in blocks gives the same vector as masking at once.
TEST_F(ClientMaskedInputTest, MaskOfAVectorGoesOnFromBlockToBlock) {
  UpTo(cohort_, Step::kMaskedInput);
  SecAggClient& client = cohort_.client(Site(0));
  ASSERT_TRUE(client.MaskedInput(cohort_.server().InboxFor(Site(0))).ok());
  std::vector<uint32_t> blocks(8);
  client.Mask(0, absl::MakeSpan(blocks).first(4));
  client.Mask(4, absl::MakeSpan(blocks).subspan(4));
  // A mask that began anew would give both blocks the same words; by chance
  // that is so with probability 2^-128.
  EXPECT_NE(std::vector<uint32_t>(blocks.begin(), blocks.begin() + 4),
            std::vector<uint32_t>(blocks.begin() + 4, blocks.end()));
}

}  // namespace
}  // namespace hilum
