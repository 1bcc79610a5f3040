// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/aes_ctr.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/hex_secret.h"

namespace hilum {
namespace {

constexpr char kKey[] = "2b7e151628aed2a6abf7158809cf4f3c";
constexpr char kZeroKey[] = "00000000000000000000000000000000";

std::string Hex(const std::vector<uint8_t>& bytes) {
  return absl::BytesToHexString(AsText(bytes));
}

std::string Filled(AesCtrStream& stream, uint64_t block, size_t size) {
  std::vector<uint8_t> bytes(size, 0xee);
  stream.Fill(block, absl::MakeSpan(bytes));
  return Hex(bytes);
}

std::string Next(AesCtrStream& stream, size_t size) {
  std::vector<uint8_t> bytes(size, 0xee);
  stream.Next(absl::MakeSpan(bytes));
  return Hex(bytes);
}

// NIST SP 800-38A, F.5.1 CTR-AES128.Encrypt.
TEST(AesCtrStreamTest, GivesTheVectorsOfSp80038a) {
  std::string plaintext = FromHex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  AesCtrStream stream(SecretFromHex(kKey),
                      FromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
  EXPECT_EQ(Next(stream, 64),  // the standard's output blocks
            "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae"
            "6a2cc3787889374fbeb4c81b17ba6c44e89c399ff0f198c6d40a31db156cabfe");
  std::vector<uint8_t> ciphertext(64);
  stream.Seek(0);
  stream.NextXor(AsBytes(plaintext), absl::MakeSpan(ciphertext));
  EXPECT_EQ(Hex(ciphertext),
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
            "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee");
}

// AES-128 of the numbers 0, 1 and 2 under the zero key, as McGrew and Viega,
// "The Galois/Counter Mode of Operation", appendix B, test cases 1 and 2, give
// them: H, E(K, Y_0), E(K, Y_1).
TEST(AesCtrStreamTest, CountsFromZeroBigEndian) {
  AesCtrStream stream(SecretFromHex(kZeroKey));
  EXPECT_EQ(Next(stream, 48),
            "66e94bd4ef8a2c3b884cfa59ca342b2e"
            "58e2fccefa7e3061367f1d57a4e7455a"
            "0388dace60b6a392f328c2b971b2fe78");
}

TEST(AesCtrStreamTest, PiecesGiveTheWhole) {
  AesCtrStream whole(SecretFromHex(kKey)), pieces(SecretFromHex(kKey));
  std::string expected = Next(whole, 300);
  std::string got;
  for (size_t size : {1, 15, 16, 17, 0, 3, 100, 148}) {
    got += Next(pieces, size);
  }
  EXPECT_EQ(got, expected);
}

TEST(AesCtrStreamTest, FillGoesToItsBlockFromAnywhere) {
  AesCtrStream stream(SecretFromHex(kKey));
  std::string whole = Next(stream, 16 * 9);
  for (uint64_t block : {5, 0, 8, 8, 3}) {
    EXPECT_EQ(Filled(stream, block, 16), whole.substr(32 * block, 32));
    Next(stream, 5);
  }
}

TEST(AesCtrStreamTest, TheCounterCarriesPastThirtyTwoAndSixtyFourBits) {
  AesCtrStream stream(SecretFromHex(kKey));
  for (int bits : {8, 32, 40}) {
    uint64_t block = uint64_t{1} << bits;
    EXPECT_EQ(Filled(stream, block - 1, 32),
              Filled(stream, block - 1, 16) + Filled(stream, block, 16))
        << bits;
    EXPECT_NE(Filled(stream, block, 16), Filled(stream, 0, 16)) << bits;
  }
  AesCtrStream above(SecretFromHex(kKey),
                     FromHex("00000000000000010000000000000000"));
  EXPECT_EQ(Filled(stream, ~uint64_t{0}, 32).substr(32), Next(above, 16));
  AesCtrStream last(SecretFromHex(kKey),
                    FromHex("ffffffffffffffffffffffffffffffff"));
  EXPECT_EQ(Filled(last, 1, 16), Filled(stream, 0, 16));
}

TEST(AesCtrStreamTest, XorMayBeInPlace) {
  AesCtrStream stream(SecretFromHex(kKey));
  std::vector<uint8_t> bytes(40, 0);
  stream.NextXor(bytes, absl::MakeSpan(bytes));
  EXPECT_EQ(Hex(bytes), Filled(stream, 0, 40));
}

}  // namespace
}  // namespace hilum
