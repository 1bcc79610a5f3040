// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_AES_CTR_H_
#define HILUM_COMMON_CRYPTO_AES_CTR_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/secret.h"

namespace hilum {

inline constexpr size_t kAes128KeySize = 16;
inline constexpr size_t kAesBlockSize = 16;

// The keystream of AES-128 in counter mode: block i is AES(key, T + i), where
// the counter is a 128-bit big-endian number that starts at T = 0. There is no
// nonce, so one key makes one stream. Use a key for one purpose only, and
// derive a fresh one for each (HkdfSha256). The stream authenticates nothing.
// One object is one key, expanded once. Next continues where the last call
// ended, also inside a block; Seek goes anywhere. Not thread-safe.
// Source: NIST SP 800-38A, section 6.5.
class AesCtrStream {
 public:
  // `key16`: 16 bytes.
  explicit AesCtrStream(const SecretBytes& key16);
  // Starts at T of 16 bytes, the standard's T_1. For its published vectors.
  AesCtrStream(const SecretBytes& key16, absl::string_view first_counter16);
  ~AesCtrStream();
  AesCtrStream(AesCtrStream&&) noexcept;
  AesCtrStream& operator=(AesCtrStream&&) noexcept;

  // Moves to the first byte of this block.
  void Seek(uint64_t counter_block);
  // Writes the next bytes of the keystream.
  void Next(absl::Span<uint8_t> keystream);
  // Sets out = in XOR keystream; equal sizes, the same memory or apart. As fast
  // as Next, since the cipher reads `in` anyway.
  void NextXor(absl::Span<const uint8_t> in, absl::Span<uint8_t> out);
  // Calls Seek, then Next.
  void Fill(uint64_t counter_block, absl::Span<uint8_t> keystream);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_AES_CTR_H_
