// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_AES_CTR_ADD_H_
#define HILUM_COMMON_CRYPTO_AES_CTR_ADD_H_

#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "common/crypto/aes_ctr.h"
#include "common/crypto/secret.h"

namespace hilum {

// Adds the keystream of an AesCtrStream from counter zero, as little-endian
// 32-bit words, to words in memory or subtracts it, mod 2^32, in one pass and
// without storing the keystream. Uses the AES instructions of x86-64 where the
// CPU has them, two blocks at a time where it has VAES; otherwise OpenSSL's
// cipher. Time depends on lengths alone.
// One object is one key, expanded once, and wiped. Not thread-safe.
// Source: FIPS 197; NIST SP 800-38A, section 6.5; Gueron, "Intel Advanced
// Encryption Standard (AES) New Instructions Set", 2010 (key expansion).
class AesCtrAdder {
 public:
  enum class Sign { kAdd, kSubtract };
  // Selects the instructions, for tests; kBest is the fastest on this CPU.
  enum class Path { kBest, kOpenSsl, kAesNi, kVaes };
  static bool Has(Path path);

  // `key16`: 16 bytes. Requires Has(path).
  explicit AesCtrAdder(const SecretBytes& key16, Path path = Path::kBest);
  ~AesCtrAdder();
  AesCtrAdder(AesCtrAdder&&) noexcept;
  AesCtrAdder& operator=(AesCtrAdder&&) noexcept;

  // Computes values[i] += or -= word first_word + i of the keystream. Costs
  // about one more block where first_word is no multiple of 4, or not the end
  // of the last call.
  void Apply(Sign sign, uint64_t first_word, absl::Span<uint32_t> values);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_AES_CTR_ADD_H_
