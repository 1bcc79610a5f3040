// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/aes_gcm.h"

#include <openssl/evp.h>

#include <climits>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

using UniqueCipher =
    std::unique_ptr<EVP_CIPHER_CTX, OpenSslFree<EVP_CIPHER_CTX_free>>;

enum Direction { kOpen = 0, kSeal = 1 };

// Returns a cipher with its key set and the associated data processed.
UniqueCipher Begin(const SecretBytes& key32, absl::string_view nonce12,
                   absl::string_view associated_data, Direction direction) {
  HILUM_CHECK(key32.size() == kAes256KeySize);
  HILUM_CHECK(nonce12.size() == kGcmNonceSize);
  UniqueCipher cipher(EVP_CIPHER_CTX_new());
  int done = 0;
  HILUM_CHECK(EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                key32.ExposeBytes().data(),
                                AsBytes(nonce12).data(), direction) == 1 &&
              EVP_CipherUpdate(cipher.get(), nullptr, &done,
                               AsBytes(associated_data).data(),
                               static_cast<int>(associated_data.size())) == 1);
  return cipher;
}

bool Update(EVP_CIPHER_CTX* cipher, absl::string_view in, uint8_t* out) {
  int done = 0;
  return in.empty() || EVP_CipherUpdate(cipher, out, &done, AsBytes(in).data(),
                                        static_cast<int>(in.size())) == 1;
}

bool Finish(EVP_CIPHER_CTX* cipher) {
  uint8_t nothing[kGcmTagSize];
  int done = 0;
  return EVP_CipherFinal_ex(cipher, nothing, &done) == 1;
}

absl::Status CheckSizes(absl::string_view nonce12, size_t size, bool has_tag,
                        absl::string_view associated_data) {
  if (nonce12.size() != kGcmNonceSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a nonce of AES-GCM has ", nonce12.size(), " bytes instead of 12"));
  }
  if (!has_tag || size >= INT_MAX || associated_data.size() >= INT_MAX) {
    return absl::UnauthenticatedError(
        absl::StrCat("a sealed message of ", size, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status Changed() {
  return absl::UnauthenticatedError(
      "the sealed message, or what it is bound to, was changed");
}

// Returns whether the ciphertext is authentic. Fills `out` either way; `out`
// may be the ciphertext's memory.
bool Open(const SecretBytes& key32, absl::string_view nonce12,
          absl::string_view ciphertext, absl::string_view tag16,
          absl::string_view associated_data, uint8_t* out) {
  UniqueCipher cipher = Begin(key32, nonce12, associated_data, kOpen);
  std::string tag(tag16);
  return Update(cipher.get(), ciphertext, out) &&
         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagSize,
                             tag.data()) == 1 &&
         Finish(cipher.get());
}

}  // namespace

std::string SealAes256Gcm(const SecretBytes& key32, absl::string_view nonce12,
                          absl::string_view plaintext,
                          absl::string_view associated_data) {
  HILUM_CHECK(plaintext.size() < INT_MAX && associated_data.size() < INT_MAX);
  UniqueCipher cipher = Begin(key32, nonce12, associated_data, kSeal);
  std::string sealed(plaintext.size() + kGcmTagSize, '\0');
  uint8_t* out = reinterpret_cast<uint8_t*>(sealed.data());
  HILUM_CHECK(Update(cipher.get(), plaintext, out) && Finish(cipher.get()) &&
              EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG,
                                  kGcmTagSize, out + plaintext.size()) == 1);
  return sealed;
}

absl::StatusOr<SecretBytes> OpenAes256Gcm(const SecretBytes& key32,
                                          absl::string_view nonce12,
                                          absl::string_view sealed,
                                          absl::string_view associated_data) {
  const bool has_tag = sealed.size() >= kGcmTagSize;
  HILUM_RETURN_IF_ERROR(
      CheckSizes(nonce12, sealed.size(), has_tag, associated_data));
  const absl::string_view ciphertext =
      sealed.substr(0, sealed.size() - kGcmTagSize);
  bool authentic = false;
  SecretBytes plaintext =
      SecretBytes::FilledBy(ciphertext.size(), [&](absl::Span<uint8_t> bytes) {
        authentic =
            Open(key32, nonce12, ciphertext, sealed.substr(ciphertext.size()),
                 associated_data, bytes.data());
      });
  if (!authentic) return Changed();
  return plaintext;
}

absl::Status OpenAes256GcmInPlace(const SecretBytes& key32,
                                  absl::string_view nonce12,
                                  absl::string_view tag16,
                                  absl::string_view associated_data,
                                  absl::Span<uint8_t> text) {
  absl::Status status = CheckSizes(
      nonce12, text.size(), tag16.size() == kGcmTagSize, associated_data);
  if (status.ok() && !Open(key32, nonce12, AsText(text), tag16, associated_data,
                           text.data())) {
    status = Changed();
  }
  if (!status.ok()) WipeMemory(text);
  return status;
}

}  // namespace hilum
