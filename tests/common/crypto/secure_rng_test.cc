// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/secure_rng.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace hilum {
namespace {

// Equal by chance with probability below 2^-115.
TEST(SecureRngTest, NoSixteenBytesComeTwice) {
  std::set<std::array<uint8_t, 16>> drawn;
  for (int i = 0; i < 1000; ++i) {
    std::array<uint8_t, 16> bytes{};
    RealSecureRng().Fill(absl::MakeSpan(bytes));
    drawn.insert(bytes);
  }
  EXPECT_EQ(drawn.size(), 1000u);
}

// A position that stays 0 in 64 draws does so by chance with probability
// 2^-512: so a span's last bytes are filled, too.
TEST(SecureRngTest, EveryByteOfTheSpanIsFilledAndNoneBeyondIt) {
  std::vector<uint8_t> seen(33), bytes(34);
  for (int i = 0; i < 64; ++i) {
    RealSecureRng().Fill(absl::MakeSpan(bytes).first(33));
    for (size_t at = 0; at < 33; ++at) seen[at] |= bytes[at];
  }
  for (size_t at = 0; at < 33; ++at) EXPECT_NE(seen[at], 0) << at;
  EXPECT_EQ(bytes[33], 0);
}

TEST(SecureRngTest, NoBytesAreHarmless) { RealSecureRng().Fill({}); }

}  // namespace
}  // namespace hilum
