// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_FEATURES_FEATURE_RECORD_H_
#define HILUM_SITE_AGENT_TRAINER_FEATURES_FEATURE_RECORD_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/secret.h"
#include "common/crypto/secure_rng.h"

namespace hilum {

// The bytes of a feature store's file: a header, then records of one size,
//
//   name 32 | seal 32 | features, feature_size * 4
//
// plain:     the case's digest | SHA-256(key | name | features) | little-endian
//            float32, row-major
// encrypted: HMAC-SHA-256(name key, digest) | nonce 12, tag 16, zeros 4 |
//            AES-256-GCM of the same, with key | name as associated data
//
// The name key and the AES key come from the encryption key by HKDF-SHA-256
// with the store's key as salt, so that no two stores share one. Nonces are
// random: good for 2^32 records of a store. Without the encryption key a file
// tells how many cases it has and nothing of any; not even whether a given
// radiograph is among them.
// One object is one store. Its const functions are thread-safe.
class FeatureRecords {
 public:
  static constexpr size_t kNameSize = 32;
  static constexpr size_t kSealSize = 32;

  // `key32`: the store's. `encryption_key`: 32 bytes, or none for plain. `rng`
  // gives the nonces and outlives this object.
  FeatureRecords(absl::string_view key32, size_t feature_size,
                 const SecretBytes& encryption_key, SecureRng& rng);

  // Returns the first bytes of a file that this object can read. They differ
  // for another version, key, size or encryption.
  const std::string& header() const { return header_; }
  size_t record_size() const {
    return kNameSize + kSealSize + feature_size_ * sizeof(float);
  }
  bool encrypted() const { return secrets_.has_value(); }

  // Returns the first kNameSize bytes of a case's record.
  std::string Name(absl::string_view digest32) const;
  // Returns the whole record; `features` is [feature_size].
  std::string Encode(absl::string_view name,
                     absl::Span<const float> features) const;
  // Returns whether name, seal and features belong together. Decrypts
  // `features` in place; on failure fills them with zeros.
  bool Decode(absl::string_view name, absl::string_view seal,
              absl::Span<float> features) const;

 private:
  struct Secrets {
    SecretBytes name_key, record_key;
  };

  std::string Checksum(absl::string_view name,
                       absl::string_view features) const;

  const std::string key_;
  const size_t feature_size_;
  SecureRng& rng_;
  std::optional<Secrets> secrets_;
  std::string header_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_FEATURES_FEATURE_RECORD_H_
