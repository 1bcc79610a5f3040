// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/crypto/x25519.h"
#include "common/secagg/derive.h"
#include "tests/common/secagg/step_test.h"
#include "tests/support/hex_secret.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

SiteId Site(int i) { return Consortium::Site(i); }

TEST(ContextTest, NothingOfOneQuestionIsGoodForAnother) {
  const SecAggContext asked = Consortium::Context(4),
                      else_asked = OtherQuestion();
  SeededSecureRng rng(1, "questions");
  const SecretBytes secret = SecretBytes::Random(rng, 32);
  const X25519KeyPair key = X25519KeyPair::Generate(rng);
  const std::string peer = X25519KeyPair::Generate(rng).public_key();
  auto all = [&](const SecAggContext& context) {
    return std::vector<std::string>{
        KeysStatement(context, Site(0), {}),
        SelfMaskCommitment(context, Site(0), std::string(32, 'b')),
        HexOf(SelfMaskSeed(context, secret)),
        HexOf(SealingKey(context, "r", key, peer, Site(0), Site(1)).value()),
        VectorStatement(context, Site(0), "r", context.cohort, "c", "v"),
        SurvivorsStatement(context, "r", context.cohort, {})};
  };
  const std::vector<std::string> here = all(asked), there = all(else_asked);
  for (size_t i = 0; i < here.size(); ++i) EXPECT_NE(here[i], there[i]) << i;
}

TEST(ContextTest, ThresholdIsOverTwoThirdsOfTheCohort) {
  for (int n = 1; n <= 10; ++n) {
    const int t = Consortium::Context(n).Threshold();
    EXPECT_GT(3 * t, 2 * n);
    EXPECT_GE(t, 3);
    if (n > 3) {
      EXPECT_LE(3 * (t - 1), 2 * n);
    }
  }
}

TEST(ContextTest, SumIsOverWhatTheOfficersApprovedAtTheLeast) {
  SecAggContext context = Consortium::Context(4);
  EXPECT_EQ(context.LeastSurvivors(), context.Threshold());
  context.minimum_sites = 4;
  EXPECT_EQ(context.LeastSurvivors(), 4);
  context.minimum_sites = 1;  // never below the threshold
  EXPECT_EQ(context.LeastSurvivors(), context.Threshold());
}

TEST(ContextTest, NoTwoListsOfPartsGiveTheSameBytes) {
  EXPECT_EQ(Concatenate({"ab"}), std::string("\x02\0\0\0ab", 6));
  EXPECT_NE(Concatenate({"a", "b"}), Concatenate({"ab"}));
  EXPECT_NE(Concatenate({"a", "b"}), Concatenate({"ab", ""}));
}

TEST(ContextTest, ListOfSitesIsSortedAndNamesEachOnce) {
  v1::Roster roster;
  roster.add_entries()->set_site("a");
  roster.add_entries()->set_site("b");
  EXPECT_EQ(SitesOf(roster.entries()).value(),
            (std::set<SiteId>{SiteId("a"), SiteId("b")}));
  for (const char* second : {"a", "A"}) {
    roster.mutable_entries(1)->set_site(second);
    EXPECT_EQ(SitesOf(roster.entries()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << second;
  }
}

}  // namespace
}  // namespace hilum
