// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/aes_ctr_add.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/support/hex_secret.h"

namespace hilum {
namespace {

using Path = AesCtrAdder::Path;
using Sign = AesCtrAdder::Sign;
using Words = std::vector<uint32_t>;

constexpr char kKey[] = "2b7e151628aed2a6abf7158809cf4f3c";

// Returns the keystream from its start, by the cipher that has its own vectors.
Words Keystream(const SecretBytes& key, size_t size) {
  std::vector<uint8_t> bytes(size * sizeof(uint32_t));
  AesCtrStream(key).Next(absl::MakeSpan(bytes));
  Words words(size);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

class AesCtrAdderTest : public testing::TestWithParam<Path> {
 protected:
  void SetUp() override {
    if (!AesCtrAdder::Has(GetParam())) {
      GTEST_SKIP() << "this CPU is without these instructions";
    }
  }
};

TEST_P(AesCtrAdderTest, AddsTheStreamFromAnyWordForAnyLength) {
  const SecretBytes key = SecretFromHex(kKey);
  const Words keystream = Keystream(key, 1500);
  AesCtrAdder adder(key, GetParam());
  for (size_t first = 0; first < 140; first += first < 9 ? 1 : 13) {
    for (size_t size : {0, 1, 3, 4, 5, 31, 32, 33, 63, 64, 65, 127, 1030}) {
      for (Sign sign : {Sign::kAdd, Sign::kSubtract}) {
        Words values(size + 2, 0xdeadbeef), want = values;
        for (size_t i = 0; i < size; ++i) {
          const uint32_t word = keystream[first + i];
          want[i + 1] += sign == Sign::kAdd ? word : 0 - word;
        }
        adder.Apply(sign, first, absl::MakeSpan(values).subspan(1, size));
        ASSERT_EQ(values, want) << size << " from " << first;
      }
    }
  }
}

TEST_P(AesCtrAdderTest, CountsOnPastThirtyTwoBitsOfBlocks) {
  const SecretBytes key = SecretFromHex(kKey);
  const uint64_t block = (uint64_t{1} << 32) - 3;
  uint8_t bytes[32 * kAesBlockSize];
  AesCtrStream(key).Fill(block, absl::MakeSpan(bytes));
  Words want(sizeof bytes / sizeof(uint32_t));
  std::memcpy(want.data(), bytes, sizeof bytes);
  Words values(want.size());
  AesCtrAdder(key, GetParam())
      .Apply(Sign::kAdd, 4 * block, absl::MakeSpan(values));
  EXPECT_EQ(values, want);
}

TEST_P(AesCtrAdderTest, KeysDiffer) {
  Words one(64), other(64);
  AesCtrAdder(SecretFromHex(kKey), GetParam())
      .Apply(Sign::kAdd, 0, absl::MakeSpan(one));
  AesCtrAdder(SecretFromHex("2b7e151628aed2a6abf7158809cf4f3d"), GetParam())
      .Apply(Sign::kAdd, 0, absl::MakeSpan(other));
  for (size_t i = 0; i < one.size(); ++i) EXPECT_NE(one[i], other[i]);
}

INSTANTIATE_TEST_SUITE_P(Paths, AesCtrAdderTest,
                         testing::Values(Path::kBest, Path::kOpenSsl,
                                         Path::kAesNi, Path::kVaes));

}  // namespace
}  // namespace hilum
