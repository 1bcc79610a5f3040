// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/features/feature_record.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/crypto/aes_gcm.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/hkdf.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// Ends with the version of this layout and of the derivation of keys.
constexpr absl::string_view kMagic = "hilum-features-1";

std::string LittleEndian64(uint64_t number) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text.push_back(static_cast<char>(number >> (8 * i)));
  }
  return text;
}

absl::string_view BytesOf(absl::Span<const float> features) {
  return {reinterpret_cast<const char*>(features.data()),
          features.size() * sizeof(float)};
}

}  // namespace

FeatureRecords::FeatureRecords(absl::string_view key32, size_t feature_size,
                               const SecretBytes& encryption_key,
                               SecureRng& rng)
    : key_(key32), feature_size_(feature_size), rng_(rng) {
  HILUM_CHECK(key32.size() == 32);
  // Identifies the encryption key; all zeros: there is none.
  std::string key_check(32, '\0');
  if (encryption_key.size() != 0) {
    HILUM_CHECK(encryption_key.size() == kAes256KeySize);
    auto derive = [&](absl::string_view purpose) {
      return HkdfSha256(encryption_key, key_, absl::StrCat(kMagic, purpose),
                        32);
    };
    secrets_ = {derive(" names"), derive(" records")};
    key_check = std::string(AsText(derive(" key check").ExposeBytes()));
  }
  header_ = absl::StrCat(kMagic, LittleEndian64(feature_size), key_, key_check);
}

std::string FeatureRecords::Name(absl::string_view digest32) const {
  HILUM_CHECK(digest32.size() == kNameSize);
  if (!encrypted()) return std::string(digest32);
  return HmacSha256(AsText(secrets_->name_key.ExposeBytes()), digest32);
}

std::string FeatureRecords::Checksum(absl::string_view name,
                                     absl::string_view features) const {
  Sha256 sha;
  sha.Update(key_);
  sha.Update(name);
  sha.Update(features);
  return sha.Finish();
}

std::string FeatureRecords::Encode(absl::string_view name,
                                   absl::Span<const float> features) const {
  HILUM_CHECK(features.size() == feature_size_);
  const absl::string_view clear = BytesOf(features);
  if (!encrypted()) return absl::StrCat(name, Checksum(name, clear), clear);
  uint8_t nonce[kGcmNonceSize];
  rng_.Fill(absl::MakeSpan(nonce));
  const std::string sealed = SealAes256Gcm(secrets_->record_key, AsText(nonce),
                                           clear, absl::StrCat(key_, name));
  const absl::string_view tag =
      absl::string_view(sealed).substr(clear.size(), kGcmTagSize);
  return absl::StrCat(
      name, AsText(nonce), tag,
      std::string(kSealSize - kGcmNonceSize - kGcmTagSize, '\0'),
      absl::string_view(sealed).substr(0, clear.size()));
}

bool FeatureRecords::Decode(absl::string_view name, absl::string_view seal,
                            absl::Span<float> features) const {
  HILUM_CHECK(seal.size() == kSealSize && features.size() == feature_size_);
  if (encrypted()) {
    return OpenAes256GcmInPlace(secrets_->record_key,
                                seal.substr(0, kGcmNonceSize),
                                seal.substr(kGcmNonceSize, kGcmTagSize),
                                absl::StrCat(key_, name),
                                {reinterpret_cast<uint8_t*>(features.data()),
                                 features.size() * sizeof(float)})
        .ok();
  }
  if (Checksum(name, BytesOf(features)) == seal) return true;
  std::fill(features.begin(), features.end(), 0.0f);
  return false;
}

}  // namespace hilum
