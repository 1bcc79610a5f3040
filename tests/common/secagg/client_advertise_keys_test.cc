// SPDX-License-Identifier: Apache-2.0
// A site's keys, before anything is shared.
#include <gtest/gtest.h>

#include <set>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ClientAdvertiseKeysTest = StepTest;

TEST_F(ClientAdvertiseKeysTest, SiteSignsItsKeysAndChecksum) {
  const SecAggContext context = Consortium::Context(4);
  v1::RoundKeys keys =
      cohort_.client(Site(2)).AdvertiseKeys(std::string(16, 'c')).value();
  EXPECT_EQ(keys.checksum(), std::string(16, 'c'));
  EXPECT_EQ(keys.question(), context.question);
  const auto is_signed = [&] {
    return Consortium::Get()
        .verifier()
        .Verify(Site(2), keys.certificate(),
                KeysStatement(context, Site(2), keys), keys.signature())
        .ok();
  };
  EXPECT_TRUE(is_signed());
  for (std::string* part : {keys.mutable_mask_key(), keys.mutable_share_key(),
                            keys.mutable_checksum()}) {
    part->back() ^= 1;
    EXPECT_FALSE(is_signed());
    part->back() ^= 1;
  }
}

// A mask key of an earlier sum would give its masks again.
TEST_F(ClientAdvertiseKeysTest, EachSumAndPurposeHasAKeyOfItsOwn) {
  Cohort next(4, 37, /*round=*/2);
  std::set<std::string> keys;
  for (Cohort* cohort : {&cohort_, &next}) {
    const v1::RoundKeys own = cohort->client(Site(0)).AdvertiseKeys().value();
    keys.insert(own.mask_key());
    keys.insert(own.share_key());
  }
  EXPECT_EQ(keys.size(), 4u);
}

TEST_F(ClientAdvertiseKeysTest, SecondKeysAreRefused) {
  ASSERT_TRUE(cohort_.client(Site(0)).AdvertiseKeys().ok());
  EXPECT_EQ(cohort_.client(Site(0)).AdvertiseKeys().status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hilum
