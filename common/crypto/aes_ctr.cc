// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/aes_ctr.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <string>

#include "absl/algorithm/container.h"
#include "common/base/check.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

using Counter = std::array<uint8_t, kAesBlockSize>;

constexpr size_t kMaxCall = size_t{1} << 30;  // EVP counts in int

// Returns first + block mod 2^128, big-endian.
Counter Advance(Counter counter, uint64_t block) {
  uint64_t carry = 0;
  for (size_t i = counter.size(); i-- > 0;) {
    uint64_t sum = counter[i] + (block & 0xff) + carry;
    counter[i] = static_cast<uint8_t>(sum);
    carry = sum >> 8;
    block >>= 8;
  }
  return counter;
}

}  // namespace

struct AesCtrStream::State {
  std::unique_ptr<EVP_CIPHER_CTX, OpenSslFree<EVP_CIPHER_CTX_free>> cipher;
  Counter first;
};

AesCtrStream::AesCtrStream(const SecretBytes& key16)
    : AesCtrStream(key16, std::string(kAesBlockSize, '\0')) {}

AesCtrStream::AesCtrStream(const SecretBytes& key16,
                           absl::string_view first_counter16)
    : state_(std::make_unique<State>()) {
  HILUM_CHECK(key16.size() == kAes128KeySize &&
              first_counter16.size() == kAesBlockSize);
  absl::c_copy(AsBytes(first_counter16), state_->first.begin());
  state_->cipher.reset(EVP_CIPHER_CTX_new());
  HILUM_CHECK(EVP_EncryptInit_ex(state_->cipher.get(), EVP_aes_128_ctr(),
                                 nullptr, key16.ExposeBytes().data(),
                                 state_->first.data()) == 1);
}

AesCtrStream::~AesCtrStream() = default;
AesCtrStream::AesCtrStream(AesCtrStream&&) noexcept = default;
AesCtrStream& AesCtrStream::operator=(AesCtrStream&&) noexcept = default;

void AesCtrStream::Seek(uint64_t counter_block) {
  Counter counter = Advance(state_->first, counter_block);
  // No cipher and no key: OpenSSL keeps the expanded key.
  HILUM_CHECK(EVP_EncryptInit_ex(state_->cipher.get(), nullptr, nullptr,
                                 nullptr, counter.data()) == 1);
}

void AesCtrStream::Next(absl::Span<uint8_t> keystream) {
  absl::c_fill(keystream, 0);
  NextXor(keystream, keystream);
}

void AesCtrStream::NextXor(absl::Span<const uint8_t> in,
                           absl::Span<uint8_t> out) {
  HILUM_CHECK(in.size() == out.size());
  for (size_t at = 0; at < in.size();) {
    int size = static_cast<int>(std::min(in.size() - at, kMaxCall));
    int done = 0;
    HILUM_CHECK(EVP_EncryptUpdate(state_->cipher.get(), out.data() + at, &done,
                                  in.data() + at, size) == 1);
    at += static_cast<size_t>(done);
  }
}

void AesCtrStream::Fill(uint64_t counter_block, absl::Span<uint8_t> keystream) {
  Seek(counter_block);
  Next(keystream);
}

}  // namespace hilum
