// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/secret.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace hilum {

SecretBytes::SecretBytes(size_t size)
    : bytes_(std::make_unique<uint8_t[]>(size)), size_(size) {}

SecretBytes::~SecretBytes() { Wipe(); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this == &other) return *this;
  Wipe();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void SecretBytes::Wipe() {
  WipeMemory(absl::MakeSpan(bytes_.get(), size_));
  bytes_.reset();
  size_ = 0;
}

SecretBytes SecretBytes::Random(SecureRng& rng, size_t size) {
  return FilledBy(size, [&](absl::Span<uint8_t> bytes) { rng.Fill(bytes); });
}

SecretBytes SecretBytes::FromBytes(absl::Span<const uint8_t> bytes) {
  return FilledBy(bytes.size(), [&](absl::Span<uint8_t> to) {
    std::copy(bytes.begin(), bytes.end(), to.begin());
  });
}

SecretBytes SecretBytes::FilledBy(
    size_t size, absl::FunctionRef<void(absl::Span<uint8_t>)> fill) {
  SecretBytes secret(size);
  fill(absl::MakeSpan(secret.bytes_.get(), size));
  return secret;
}

SecretBytes SecretBytes::Copy() const { return FromBytes(ExposeBytes()); }

bool ConstantTimeEquals(const SecretBytes& a, const SecretBytes& b) {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.ExposeBytes().data(), b.ExposeBytes().data(),
                       a.size()) == 0;
}

void WipeMemory(absl::Span<uint8_t> bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace hilum
