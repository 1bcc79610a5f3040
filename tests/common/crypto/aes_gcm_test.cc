// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/aes_gcm.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/hex_secret.h"

namespace hilum {
namespace {

struct Vector {
  const char* key;
  const char* nonce;
  const char* plaintext;
  const char* associated_data;
  const char* ciphertext;
  const char* tag;
};

constexpr char kZeroKey[] =
    "0000000000000000000000000000000000000000000000000000000000000000";
constexpr char kKey[] =
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

// McGrew and Viega, "The Galois/Counter Mode of Operation" (submitted to NIST
// for SP 800-38D), appendix B, test cases 13 to 16; NIST CAVP,
// gcmEncryptExtIV256.rsp, [PTlen = 128] [AADlen = 128] [Taglen = 128]
// Count = 0.
const Vector kVectors[] = {
    {kZeroKey, "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {kZeroKey, "000000000000000000000000", "00000000000000000000000000000000",
     "", "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {kKey, "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {kKey, "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {"92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b",
     "ac93a1a6145299bde902f21a", "2d71bcfa914e4ac045b2aa60955fad24",
     "1e0889016f67601c8ebea4943bc23ad6", "8995ae2e6df3dbf96fac7b7137bae67f",
     "eca5aa77d51d4a0a14d9c51e1da474ab"}};

absl::Span<uint8_t> Writable(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

TEST(AesGcmTest, SealsAndOpensThePublishedVectors) {
  for (const Vector& vector : kVectors) {
    SecretBytes key = SecretFromHex(vector.key);
    std::string nonce = FromHex(vector.nonce);
    std::string data = FromHex(vector.associated_data);
    std::string sealed =
        SealAes256Gcm(key, nonce, FromHex(vector.plaintext), data);
    EXPECT_EQ(absl::BytesToHexString(sealed),
              std::string(vector.ciphertext) + vector.tag);
    absl::StatusOr<SecretBytes> opened =
        OpenAes256Gcm(key, nonce, sealed, data);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(HexOf(*opened), vector.plaintext);

    std::string text = FromHex(vector.ciphertext);
    ASSERT_TRUE(OpenAes256GcmInPlace(key, nonce, FromHex(vector.tag), data,
                                     Writable(text))
                    .ok());
    EXPECT_EQ(absl::BytesToHexString(text), vector.plaintext);
  }
}

class ChangedMessage : public testing::Test {
 protected:
  static bool IsRefused(const SecretBytes& key, const std::string& nonce,
                        const std::string& sealed, const std::string& data) {
    const size_t size = sealed.size() - std::min(sealed.size(), kGcmTagSize);
    std::string text = sealed.substr(0, size);
    EXPECT_EQ(OpenAes256GcmInPlace(key, nonce, sealed.substr(size), data,
                                   Writable(text))
                  .ok(),
              OpenAes256Gcm(key, nonce, sealed, data).ok());
    return OpenAes256Gcm(key, nonce, sealed, data).status().code() ==
           absl::StatusCode::kUnauthenticated;
  }

  const SecretBytes key_ = SecretFromHex(kKey);
  const std::string nonce_ = FromHex("cafebabefacedbaddecaf888");
  const std::string data_ = "study, round, sender, receiver";
  const std::string sealed_ = SealAes256Gcm(key_, nonce_, "a share", data_);
};

TEST_F(ChangedMessage, IsRefusedWhateverBitOfItChanged) {
  auto flipped = [](std::string bytes, size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    return bytes;
  };
  for (size_t bit = 0; bit < sealed_.size() * 8; ++bit) {
    EXPECT_TRUE(IsRefused(key_, nonce_, flipped(sealed_, bit), data_)) << bit;
  }
  for (size_t bit = 0; bit < nonce_.size() * 8; ++bit) {
    EXPECT_TRUE(IsRefused(key_, flipped(nonce_, bit), sealed_, data_)) << bit;
  }
  for (size_t bit = 0; bit < data_.size() * 8; ++bit) {
    EXPECT_TRUE(IsRefused(key_, nonce_, sealed_, flipped(data_, bit))) << bit;
  }
  EXPECT_FALSE(IsRefused(key_, nonce_, sealed_, data_));
}

TEST_F(ChangedMessage, IsRefusedWhateverItsLength) {
  for (size_t size = 0; size < sealed_.size(); ++size) {
    EXPECT_TRUE(IsRefused(key_, nonce_, sealed_.substr(0, size), data_));
  }
  EXPECT_TRUE(IsRefused(key_, nonce_, sealed_ + '\0', data_));
  EXPECT_TRUE(IsRefused(key_, nonce_, sealed_, data_ + '\0'));
  EXPECT_TRUE(IsRefused(key_, nonce_, sealed_, ""));
}

TEST_F(ChangedMessage, IsRefusedUnderAnotherKey) {
  EXPECT_TRUE(IsRefused(SecretFromHex(kZeroKey), nonce_, sealed_, data_));
}

TEST_F(ChangedMessage, LeavesZerosWhereItLay) {
  std::string text = sealed_.substr(0, sealed_.size() - kGcmTagSize);
  text[0] ^= 1;
  const std::string tag = sealed_.substr(text.size());
  EXPECT_TRUE(absl::IsUnauthenticated(
      OpenAes256GcmInPlace(key_, nonce_, tag, data_, Writable(text))));
  EXPECT_EQ(text, std::string(text.size(), '\0'));
}

TEST(AesGcmTest, RefusesANonceOfAnotherSize) {
  SecretBytes key = SecretFromHex(kKey);
  for (size_t size : {0, 11, 13, 16}) {
    EXPECT_EQ(OpenAes256Gcm(key, std::string(size, 'n'),
                            std::string(kGcmTagSize, 't'), "")
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(AesGcmTest, NothingCanBeSealed) {
  SecretBytes key = SecretFromHex(kKey);
  std::string nonce(kGcmNonceSize, 'n');
  std::string sealed =
      SealAes256Gcm(key, nonce, absl::string_view(), absl::string_view());
  EXPECT_EQ(sealed.size(), kGcmTagSize);
  absl::StatusOr<SecretBytes> opened =
      OpenAes256Gcm(key, nonce, sealed, absl::string_view());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->size(), 0u);
}

}  // namespace
}  // namespace hilum
