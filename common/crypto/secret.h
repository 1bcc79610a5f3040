// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_SECRET_H_
#define HILUM_COMMON_CRYPTO_SECRET_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "common/crypto/secure_rng.h"

namespace hilum {

// Secret bytes (a key, a seed, a share) that cannot be printed, logged or
// copied by accident. They lie in one piece of heap memory from construction to
// destruction, which overwrites them; moving passes that memory on and leaves
// an empty object. There is no stream operator, no conversion and no ==; only
// ExposeBytes(), which a reviewer can grep, gives access to the bytes. Their
// number is not secret. Immutable, so threads may share it.
//
// The class does not lock its pages (each site decides on swap and core dumps)
// and does not wipe copies in registers or on the stack.
class SecretBytes {
 public:
  SecretBytes() = default;  // no bytes
  ~SecretBytes();
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  static SecretBytes Random(SecureRng& rng, size_t size);
  static SecretBytes FromBytes(absl::Span<const uint8_t> bytes);
  // Calls `fill` once with `size` zero bytes to write into; `fill` keeps no
  // pointer to them.
  static SecretBytes FilledBy(
      size_t size, absl::FunctionRef<void(absl::Span<uint8_t>)> fill);

  SecretBytes Copy() const;
  size_t size() const { return size_; }
  // Returns a view, valid while this object is neither moved from nor
  // destroyed.
  absl::Span<const uint8_t> ExposeBytes() const {
    return {bytes_.get(), size_};
  }

 private:
  explicit SecretBytes(size_t size);
  void Wipe();

  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
};

// Takes time that depends on the sizes alone. Different sizes are not equal.
bool ConstantTimeEquals(const SecretBytes& a, const SecretBytes& b);

// Overwrites memory with zeros; the compiler cannot remove this.
void WipeMemory(absl::Span<uint8_t> bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_SECRET_H_
