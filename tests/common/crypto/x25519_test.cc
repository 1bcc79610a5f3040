// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/x25519.h"

#include <gtest/gtest.h>

#include "tests/support/hex_secret.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

absl::StatusCode CodeOfAgreement(const X25519KeyPair& keys,
                                 absl::string_view peer) {
  return keys.Agree(peer).status().code();
}

std::string X25519(const SecretBytes& scalar, const std::string& u) {
  return HexOf(*X25519KeyPair::FromPrivate(scalar)->Agree(u));
}

TEST(X25519Test, GivesTheVectorsOfRfc7748Section52) {
  EXPECT_EQ(X25519(SecretFromHex("a546e36bf0527c9d3b16154b82465edd"
                                 "62144c0ac1fc5a18506a2244ba449ac4"),
                   FromHex("e6db6867583030db3594c1a424b15f7c"
                           "726624ec26b3353b10a903a6d0ab1c4c")),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(X25519(SecretFromHex("4b66e9d4d1b4673c5ad22691957d6af5"
                                 "c11b6421e0ea01d42ca4169e7918ba0d"),
                   FromHex("e5210f12786811d3f4b7959d0538ae2c"
                           "31dbe7106fc03c3efc4cd549c715a493")),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519Test, GivesTheIteratedVectorsOfRfc7748Section52) {
  std::string u = FromHex(
      "0900000000000000000000000000000000000000000000000000000000000000");
  SecretBytes k = SecretBytes::FromBytes(AsBytes(u));
  for (int i = 1; i <= 1000; ++i) {
    SecretBytes next = *X25519KeyPair::FromPrivate(k)->Agree(u);
    u = std::string(AsText(k.ExposeBytes()));
    k = std::move(next);
    if (i == 1) {
      EXPECT_EQ(
          HexOf(k),
          "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(HexOf(k),
            "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519Test, GivesTheExchangeOfRfc7748Section61) {
  X25519KeyPair alice = *X25519KeyPair::FromPrivate(SecretFromHex(
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  X25519KeyPair bob = *X25519KeyPair::FromPrivate(SecretFromHex(
      "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(alice.public_key(), FromHex("8520f0098930a754748b7ddcb43ef75a"
                                        "0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  EXPECT_EQ(bob.public_key(), FromHex("de9edb7d7b7dc1b4d35b61c2ece43537"
                                      "3f8343c85b78674dadfc7e146f882b4f"));
  const char* shared =
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(HexOf(*alice.Agree(bob.public_key())), shared);
  EXPECT_EQ(HexOf(*bob.Agree(alice.public_key())), shared);
}

// The points are those whose order divides eight, from
// https://cr.yp.to/ecdh.html, and 2^255 - 19 added to the two that leave room.
TEST(X25519Test, RefusesPointsOfSmallOrder) {
  SeededSecureRng rng(1, "x25519");
  X25519KeyPair keys = X25519KeyPair::Generate(rng);
  for (const char* point :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    EXPECT_EQ(CodeOfAgreement(keys, FromHex(point)),
              absl::StatusCode::kInvalidArgument)
        << point;
    EXPECT_FALSE(IsX25519PublicKey(FromHex(point))) << point;
  }
  EXPECT_TRUE(IsX25519PublicKey(keys.public_key()));
}

TEST(X25519Test, RefusesKeysOfAnotherSize) {
  SeededSecureRng rng(1, "x25519");
  X25519KeyPair keys = X25519KeyPair::Generate(rng);
  for (size_t size : {0, 31, 33}) {
    EXPECT_EQ(CodeOfAgreement(keys, std::string(size, '\x09')),
              absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(IsX25519PublicKey(std::string(size, '\x09')));
    EXPECT_EQ(X25519KeyPair::FromPrivate(SecretBytes::Random(rng, size))
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(X25519Test, GeneratedPairsAgreeAndComeBackFromTheirPrivateKey) {
  SeededSecureRng rng(2, "x25519");
  X25519KeyPair one = X25519KeyPair::Generate(rng);
  X25519KeyPair two = X25519KeyPair::Generate(rng);
  EXPECT_NE(one.public_key(), two.public_key());
  SecretBytes shared = *one.Agree(two.public_key());
  EXPECT_TRUE(ConstantTimeEquals(shared, *two.Agree(one.public_key())));
  X25519KeyPair again = *X25519KeyPair::FromPrivate(one.private_key());
  EXPECT_EQ(again.public_key(), one.public_key());
  EXPECT_TRUE(ConstantTimeEquals(shared, *again.Agree(two.public_key())));
}

}  // namespace
}  // namespace hilum
