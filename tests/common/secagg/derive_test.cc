// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/derive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/crypto/x25519.h"
#include "tests/common/secagg/step_test.h"
#include "tests/support/hex_secret.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

SiteId Site(int i) { return Consortium::Site(i); }

// Even if no site looked at the roster, no mask of the two cancels.
TEST(DeriveTest, MasksOfSitesThatWereAskedDifferentlyDoNotCancel) {
  SeededSecureRng rng(1, "questions");
  const X25519KeyPair a = X25519KeyPair::Generate(rng);
  const X25519KeyPair b = X25519KeyPair::Generate(rng);
  const std::string roster_hash(32, 'r');
  auto seed = [&](const SecAggContext& context, const X25519KeyPair& own,
                  const X25519KeyPair& other) {
    return PairwiseMaskSeed(context, roster_hash, own, other.public_key(),
                            Site(0), Site(1))
        .value();
  };
  const SecAggContext asked = Consortium::Context(4),
                      else_asked = OtherQuestion();
  EXPECT_EQ(HexOf(seed(asked, a, b)), HexOf(seed(asked, b, a)));
  EXPECT_NE(HexOf(seed(asked, a, b)), HexOf(seed(else_asked, b, a)));
  std::vector<uint32_t> alike(64), differently(64);
  for (const bool same : {true, false}) {
    MaskStream first(seed(asked, a, b), PairwiseSign(Site(0), Site(1)));
    MaskStream second(seed(same ? asked : else_asked, b, a),
                      PairwiseSign(Site(1), Site(0)));
    std::vector<uint32_t>& sum = same ? alike : differently;
    first.Apply(0, absl::MakeSpan(sum));
    second.Apply(0, absl::MakeSpan(sum));
  }
  EXPECT_THAT(alike, testing::Each(0u));
  // A word is 0 by chance with probability 2^-32.
  EXPECT_THAT(differently, testing::Each(testing::Ne(0u)));
}

TEST(DeriveTest, SealingKeyIsOfOneDirection) {
  SeededSecureRng rng(2, "sealing");
  const X25519KeyPair a = X25519KeyPair::Generate(rng);
  const X25519KeyPair b = X25519KeyPair::Generate(rng);
  const SecAggContext context = Consortium::Context(4);
  const auto key = [&](const X25519KeyPair& own, const X25519KeyPair& other,
                       int sender, int recipient) {
    return HexOf(SealingKey(context, "r", own, other.public_key(), Site(sender),
                            Site(recipient))
                     .value());
  };
  EXPECT_EQ(key(a, b, 0, 1), key(b, a, 0, 1));
  // Its nonce is zero, so that two messages under one key would be readable.
  EXPECT_NE(key(a, b, 0, 1), key(a, b, 1, 0));
}

TEST(DeriveTest, RosterChangesEverySharedKey) {
  SeededSecureRng rng(3, "roster");
  const X25519KeyPair a = X25519KeyPair::Generate(rng);
  const std::string b = X25519KeyPair::Generate(rng).public_key();
  const SecAggContext context = Consortium::Context(4);
  EXPECT_NE(HexOf(SealingKey(context, "r", a, b, Site(0), Site(1)).value()),
            HexOf(SealingKey(context, "R", a, b, Site(0), Site(1)).value()));
  EXPECT_NE(
      HexOf(PairwiseMaskSeed(context, "r", a, b, Site(0), Site(1)).value()),
      HexOf(PairwiseMaskSeed(context, "R", a, b, Site(0), Site(1)).value()));
}

TEST(DeriveTest, OneOfTwoSitesAddsTheirMaskAndTheOtherSubtractsIt) {
  EXPECT_EQ(PairwiseSign(Site(0), Site(1)), MaskSign::kAdd);
  EXPECT_EQ(PairwiseSign(Site(1), Site(0)), MaskSign::kSubtract);
  EXPECT_EQ(Inverse(MaskSign::kAdd), MaskSign::kSubtract);
  EXPECT_EQ(Inverse(MaskSign::kSubtract), MaskSign::kAdd);
}

TEST(DeriveTest, PublicKeyOfSmallOrderGivesNoSeed) {
  SeededSecureRng rng(4, "order");
  const X25519KeyPair key = X25519KeyPair::Generate(rng);
  const std::string zero(32, '\0');
  EXPECT_EQ(
      PairwiseMaskSeed(Consortium::Context(4), "r", key, zero, Site(0), Site(1))
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
