// SPDX-License-Identifier: Apache-2.0
// Secure sums as they should go, whoever drops out.
#include "common/secagg/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "common/base/rng.h"
#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using Step = SecAggServer::Step;

TEST(ServerTest, SumOfAllIsThePlainSum) {
  for (int sites : {3, 4, 7}) {
    Cohort cohort(sites);
    auto sum = cohort.Run();
    ASSERT_TRUE(sum.ok()) << sum.status();
    EXPECT_EQ(*sum, cohort.PlainSum(Consortium::Context(sites).cohort));
  }
}

// Any cohort, any pattern of leaving: above the threshold exactly the plain
// sum of those whose vectors are in, below it nothing.
TEST(ServerTest, AnyDropPatternGivesTheSumOfTheSurvivorsOrNothing) {
  Rng rng(1, "drops");
  int sums = 0, losses = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const int sites = 3 + static_cast<int>(rng.Next() % 7);
    Cohort cohort(sites, 5);
    std::array<int, 6> left_at{};  // how many leave at each step
    for (int i = 0; i < sites; ++i) {
      if (rng.Next() % 4 != 0) continue;
      const int step = static_cast<int>(rng.Next() % 5);
      cohort.Leave(Consortium::Site(i), static_cast<Step>(step));
      ++left_at[static_cast<size_t>(step)];
    }
    int left = 0;
    for (int count : left_at) left += count;
    auto sum = cohort.Run();
    if (sites - left >= Consortium::Context(sites).Threshold()) {
      ++sums;
      ASSERT_TRUE(sum.ok()) << sum.status();
      EXPECT_EQ(*sum, cohort.PlainSum(cohort.server().survivors()));
      EXPECT_EQ(static_cast<int>(cohort.server().survivors().size()),
                sites - left_at[0] - left_at[1] - left_at[2]);
    } else {
      ++losses;
      EXPECT_EQ(sum.status().code(), absl::StatusCode::kAborted);
      EXPECT_FALSE(cohort.Sum().ok());
    }
  }
  EXPECT_GT(sums, 10);
  EXPECT_GT(losses, 5);
}

// Chi-square of 256 byte values over 4 x 65536 bytes: mean 255, deviation
// 22.6; 255 + 6 x 22.6 is passed by chance less than once in 10^7 runs.
TEST(ServerTest, MaskedVectorOfZerosLooksLikeNoise) {
  Cohort cohort(3, 65536);
  ASSERT_TRUE(cohort.AdvertiseKeys().ok());
  ASSERT_TRUE(cohort.ShareKeys().ok());
  const SiteId site = Consortium::Site(0);
  ASSERT_TRUE(
      cohort.client(site).MaskedInput(cohort.server().InboxFor(site)).ok());
  std::vector<uint32_t> vector(65536);
  cohort.client(site).Mask(0, absl::MakeSpan(vector));
  for (int byte = 0; byte < 4; ++byte) {
    std::array<double, 256> counts{};
    for (uint32_t value : vector) ++counts[(value >> (8 * byte)) & 255];
    double chi = 0;
    for (double count : counts) chi += (count - 256) * (count - 256) / 256;
    EXPECT_LT(chi, 255 + 6 * 22.6) << "byte " << byte;
    EXPECT_GT(chi, 255 - 6 * 22.6) << "byte " << byte;
  }
}

TEST(ServerTest, TwoSumsOfOneVectorAreMaskedDifferently) {
  Cohort first(3), second(3);
  ASSERT_TRUE(first.Run().ok());
  ASSERT_TRUE(second.Run().ok());
  const SiteId site = Consortium::Site(1);
  ASSERT_EQ(first.plain().at(site), second.plain().at(site));
  EXPECT_NE(first.masked().at(site), second.masked().at(site));
}

using SelectiveDropTest = StepTest;

TEST_F(SelectiveDropTest, SelectiveDropLeavesTheSumOfTheOthers) {
  UpTo(cohort_, Step::kMaskedInput);
  // The coordinator pretends that s3's vector never came.
  cohort_.Leave(Site(3), Step::kMaskedInput);
  ASSERT_TRUE(cohort_.MaskedInput().ok());
  ASSERT_TRUE(cohort_.Confirm().ok());
  ASSERT_TRUE(cohort_.Unmask().ok());
  EXPECT_EQ(cohort_.Sum().value(),
            cohort_.PlainSum({Site(0), Site(1), Site(2)}));
}

}  // namespace
}  // namespace hilum
