// SPDX-License-Identifier: Apache-2.0
// The digests of masked vectors that the coordinator accepts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ServerMaskedInputTest = StepTest;

TEST_F(ServerMaskedInputTest, VectorThatItsSiteDidNotSignIsItsSendersAlone) {
  Cohort cohort(4);
  ASSERT_TRUE(cohort.AdvertiseKeys().ok());
  ASSERT_TRUE(cohort.ShareKeys().ok());
  SecAggClient& client = cohort.client(Site(0));
  ASSERT_TRUE(client.MaskedInput(cohort.server().InboxFor(Site(0))).ok());
  const std::string digest(32, 'v');
  const std::string signature = client.SignVector(digest);
  SecAggServer& server = cohort.server();
  EXPECT_EQ(
      server.OnMaskedInput(Site(0), std::string(32, 'w'), signature).code(),
      absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(server.OnMaskedInput(Site(1), digest, signature).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(server.answered().empty());
  EXPECT_TRUE(server.OnMaskedInput(Site(0), digest, signature).ok());
}

TEST_F(ServerMaskedInputTest, VectorOfASiteThatHasNotSharedIsNotWaitedFor) {
  cohort_.Leave(Site(3), Step::kShareKeys);
  UpTo(cohort_, Step::kMaskedInput);
  EXPECT_EQ(cohort_.server()
                .OnMaskedInput(Site(3), std::string(32, 'v'), "signature")
                .code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hilum
