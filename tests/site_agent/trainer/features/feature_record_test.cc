// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/features/feature_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

constexpr size_t kFeatures = 5;

std::string Digest(int number) { return Sha256Of(absl::StrCat(number)); }

// No two values of any two cases are alike.
std::vector<float> Features(int number, size_t size = kFeatures) {
  std::vector<float> features(size);
  for (size_t i = 0; i < size; ++i) {
    features[i] =
        std::sin(static_cast<float>(number * 1000 + 1) + static_cast<float>(i));
  }
  return features;
}

SecretBytes Key(size_t size) {
  return SecretBytes::FromBytes(std::vector<uint8_t>(size, 7));
}

// A nonce that comes twice would give the XOR of two cases away.
TEST(FeatureRecordTest, NoTwoNoncesAreAlike) {
  const SecretBytes key = SecretBytes::FromBytes(std::vector<uint8_t>(32, 7));
  SeededSecureRng rng(1, "features");
  const FeatureRecords records(std::string(32, 'k'), kFeatures, key, rng);
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) {
    // The very same case, as after it was found damaged.
    nonces.insert(
        records.Encode(records.Name(Digest(0)), Features(0)).substr(32, 12));
  }
  EXPECT_EQ(nonces.size(), 100u);
}

TEST(FeatureRecordTest, WhatFailsIsNotGivenOut) {
  SeededSecureRng rng(1, "features");
  for (const size_t size : {0, 32}) {
    const SecretBytes key =
        SecretBytes::FromBytes(std::vector<uint8_t>(size, 7));
    const FeatureRecords records(std::string(32, 'k'), kFeatures, key, rng);
    EXPECT_EQ(records.encrypted(), size != 0);
    std::vector<float> features = Features(0);
    EXPECT_FALSE(records.Decode(Digest(0), std::string(32, 's'),
                                absl::MakeSpan(features)));
    EXPECT_THAT(features, testing::Each(0.0f));
  }
}

TEST(FeatureRecordTest, WhatIsEncodedIsDecodedAndNoByteMayChange) {
  SeededSecureRng rng(1, "features");
  for (const size_t size : {0, 32}) {
    const FeatureRecords records(std::string(32, 'k'), kFeatures, Key(size),
                                 rng);
    const std::string record =
        records.Encode(records.Name(Digest(0)), Features(0));
    ASSERT_EQ(record.size(), records.record_size());
    for (size_t at = 0; at <= record.size(); ++at) {
      // Nonce and tag have 28 bytes; the rest of the place is padding.
      if (size > 0 && at >= 60 && at < 64) continue;
      std::string read = record;
      if (at < record.size()) read[at] ^= 0x20;
      std::vector<float> features(kFeatures);
      std::memcpy(features.data(), &read[64], kFeatures * sizeof(float));
      const bool good = records.Decode(read.substr(0, 32), read.substr(32, 32),
                                       absl::MakeSpan(features));
      EXPECT_EQ(good, at == record.size()) << size << ": byte " << at;
      EXPECT_EQ(features == Features(0), good) << size << ": byte " << at;
    }
  }
}

// Else somebody with a radiograph could tell whether it is in the file.
TEST(FeatureRecordTest, NamesOfAnEncryptedStoreAreItsOwn) {
  SeededSecureRng rng(1, "features");
  const FeatureRecords plain(std::string(32, 'k'), kFeatures, Key(0), rng);
  EXPECT_EQ(plain.Name(Digest(0)), Digest(0));
  const FeatureRecords one(std::string(32, 'k'), kFeatures, Key(32), rng);
  const FeatureRecords two(std::string(32, 'l'), kFeatures, Key(32), rng);
  EXPECT_NE(one.Name(Digest(0)), Digest(0));
  EXPECT_NE(one.Name(Digest(0)), two.Name(Digest(0)));
  EXPECT_EQ(one.Name(Digest(0)), one.Name(Digest(0)));
}

TEST(FeatureRecordTest, AnotherKeySizeOrEncryptionHasAnotherHeader) {
  SeededSecureRng rng(1, "features");
  std::set<std::string> headers;
  for (const char key : {'k', 'l'}) {
    for (const size_t features : {kFeatures, kFeatures + 1}) {
      for (const size_t secret : {0, 32}) {
        headers.insert(
            FeatureRecords(std::string(32, key), features, Key(secret), rng)
                .header());
      }
    }
  }
  EXPECT_EQ(headers.size(), 8u);
}

}  // namespace
}  // namespace hilum
