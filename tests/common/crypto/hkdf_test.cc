// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/hkdf.h"

#include <gtest/gtest.h>

#include "tests/support/hex_secret.h"

namespace hilum {
namespace {

std::string Range(int first, int last) {
  std::string bytes;
  for (int i = first; i <= last; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

SecretBytes SecretOf(absl::string_view bytes) {
  return SecretBytes::FromBytes(AsBytes(bytes));
}

// RFC 5869, appendix A.1 to A.3.
TEST(HkdfTest, GivesTheVectorsOfRfc5869) {
  SecretBytes same = SecretOf(std::string(22, '\x0b'));
  EXPECT_EQ(HexOf(HkdfSha256(same, Range(0x00, 0x0c), Range(0xf0, 0xf9), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
            "34007208d5b887185865");
  EXPECT_EQ(HexOf(HkdfSha256(SecretOf(Range(0x00, 0x4f)), Range(0x60, 0xaf),
                             Range(0xb0, 0xff), 82)),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(HexOf(HkdfSha256(same, "", "", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
            "9d201395faa4b61a96c8");
}

TEST(HkdfTest, NoSaltIsTheEmptySalt) {
  SecretBytes secret = SecretOf("secret");
  EXPECT_TRUE(ConstantTimeEquals(
      HkdfSha256(secret, absl::string_view(), absl::string_view(), 32),
      HkdfSha256(secret, "", "", 32)));
}

TEST(HkdfTest, EveryInputMatters) {
  SecretBytes key = HkdfSha256(SecretOf("secret"), "salt", "info", 32);
  EXPECT_FALSE(ConstantTimeEquals(
      key, HkdfSha256(SecretOf("Secret"), "salt", "info", 32)));
  EXPECT_FALSE(ConstantTimeEquals(
      key, HkdfSha256(SecretOf("secret"), "Salt", "info", 32)));
  EXPECT_FALSE(ConstantTimeEquals(
      key, HkdfSha256(SecretOf("secret"), "salt", "Info", 32)));
}

TEST(HkdfTest, TheLongestLengthAndInfoAreTaken) {
  SecretBytes key = HkdfSha256(SecretOf("secret"), "salt",
                               std::string(kMaxHkdfInfo, 'i'), kMaxHkdfLength);
  EXPECT_EQ(key.size(), kMaxHkdfLength);
}

}  // namespace
}  // namespace hilum
