// SPDX-License-Identifier: Apache-2.0
// The keys that the coordinator accepts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ServerAdvertiseKeysTest = StepTest;

TEST_F(ServerAdvertiseKeysTest, MalformedMessagesAreTheirSendersAlone) {
  SecAggServer& server = cohort_.server();
  auto keys = cohort_.client(Site(0)).AdvertiseKeys();
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(server.OnKeys(Site(1), *keys).code(),
            absl::StatusCode::kUnauthenticated);
  v1::RoundKeys cut = *keys;
  cut.mutable_mask_key()->pop_back();
  EXPECT_EQ(server.OnKeys(Site(0), cut).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server.OnKeys(SiteId("s9"), *keys).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(server.OnKeys(Site(0), *keys).ok());
  EXPECT_EQ(server.OnShares(Site(0), v1::SealedShares()).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(server.answered(), testing::ElementsAre(Site(0)));
}

// Signed as it is, the roster with it would end the sum for all others.
TEST_F(ServerAdvertiseKeysTest, KeyOfSmallOrderIsItsSendersAlone) {
  auto keys = cohort_.client(Site(0)).AdvertiseKeys();
  ASSERT_TRUE(keys.ok());
  for (bool mask : {true, false}) {
    v1::RoundKeys zero = *keys;
    (mask ? zero.mutable_mask_key() : zero.mutable_share_key())
        ->assign(32, '\0');
    zero.set_signature(Consortium::Get().Of(Site(0)).signer->Sign(
        KeysStatement(Consortium::Context(4), Site(0), zero)));
    EXPECT_EQ(cohort_.server().OnKeys(Site(0), zero).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(ServerAdvertiseKeysTest, CoordinatorTakesNoKeysForAnotherQuestion) {
  const v1::RoundKeys theirs = AskedElse(Site(1))->AdvertiseKeys().value();
  const absl::Status status = cohort_.server().OnKeys(Site(1), theirs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("another question"));
}

}  // namespace
}  // namespace hilum
