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
// words of 32 bits, to words in memory or subtracts it, mod 2^32 and in one
// pass: what the cipher makes is never stored. With the AES instructions of
// x86-64 where the CPU has them, two blocks at a time where it has VAES; with
// OpenSSL's cipher elsewhere. Time depends on lengths alone.
// One object is one key, expanded once, and wiped. Not thread-safe.
// Source: FIPS 197; NIST SP 800-38A, section 6.5; Gueron, "Intel Advanced
// Encryption Standard (AES) New Instructions Set", 2010 (how keys are
// expanded).
class AesCtrAdder {
 public:
  enum class Sign { kAdd, kSubtract };
  // Which instructions: for tests; kBest is the fastest that this CPU has.
  enum class Path { kBest, kOpenSsl, kAesNi, kVaes };
  static bool Has(Path path);

  // 16 bytes. Has(path).
  explicit AesCtrAdder(const SecretBytes& key16, Path path = Path::kBest);
  ~AesCtrAdder();
  AesCtrAdder(AesCtrAdder&&) noexcept;
  AesCtrAdder& operator=(AesCtrAdder&&) noexcept;

  // values[i] += or -= word first_word + i of the keystream. Where first_word
  // is no multiple of 4, or not where the last call ended, it costs a block or
  // so more.
  void Apply(Sign sign, uint64_t first_word, absl::Span<uint32_t> values);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_AES_CTR_ADD_H_
