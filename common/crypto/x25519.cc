// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/x25519.h"

#include <openssl/evp.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

using UniqueContext =
    std::unique_ptr<EVP_PKEY_CTX, OpenSslFree<EVP_PKEY_CTX_free>>;

absl::Status CheckSize(absl::string_view what, size_t size) {
  if (size == kX25519KeySize) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " of X25519 has ", size, " bytes instead of 32"));
}

std::string PublicPart(const EVP_PKEY* key) {
  std::string raw(kX25519KeySize, '\0');
  size_t size = raw.size();
  HILUM_CHECK(EVP_PKEY_get_raw_public_key(
                  key, reinterpret_cast<unsigned char*>(raw.data()), &size) ==
                  1 &&
              size == kX25519KeySize);
  return raw;
}

}  // namespace

struct X25519KeyPair::Key {
  UniqueKey key;
};

X25519KeyPair::X25519KeyPair(std::unique_ptr<Key> key, SecretBytes private_key,
                             std::string public_key)
    : key_(std::move(key)),
      private_key_(std::move(private_key)),
      public_key_(std::move(public_key)) {}
X25519KeyPair::~X25519KeyPair() = default;
X25519KeyPair::X25519KeyPair(X25519KeyPair&&) noexcept = default;
X25519KeyPair& X25519KeyPair::operator=(X25519KeyPair&&) noexcept = default;

X25519KeyPair X25519KeyPair::Generate(SecureRng& rng) {
  return FromPrivate(SecretBytes::Random(rng, kX25519KeySize)).value();
}

absl::StatusOr<X25519KeyPair> X25519KeyPair::FromPrivate(
    const SecretBytes& private_key) {
  absl::Status size = CheckSize("a private key", private_key.size());
  if (!size.ok()) return size;
  UniqueKey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr,
                                             private_key.ExposeBytes().data(),
                                             private_key.size()));
  HILUM_CHECK(key != nullptr);
  std::string public_key = PublicPart(key.get());
  return X25519KeyPair(std::make_unique<Key>(Key{std::move(key)}),
                       private_key.Copy(), std::move(public_key));
}

absl::StatusOr<SecretBytes> X25519KeyPair::Agree(
    absl::string_view peer_public) const {
  absl::Status size = CheckSize("a public key", peer_public.size());
  if (!size.ok()) return size;
  UniqueKey peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr,
                                             AsBytes(peer_public).data(),
                                             peer_public.size()));
  UniqueContext context(EVP_PKEY_CTX_new(key_->key.get(), nullptr));
  HILUM_CHECK(peer != nullptr && context != nullptr &&
              EVP_PKEY_derive_init(context.get()) == 1 &&
              EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1);
  bool agreed = false;
  SecretBytes shared =
      SecretBytes::FilledBy(kX25519KeySize, [&](absl::Span<uint8_t> bytes) {
        size_t length = bytes.size();
        agreed = EVP_PKEY_derive(context.get(), bytes.data(), &length) == 1;
      });
  SecretBytes zero = SecretBytes::FilledBy(kX25519KeySize, [](auto) {});
  if (!agreed || ConstantTimeEquals(shared, zero)) {
    return absl::InvalidArgumentError(
        "the public key of X25519 is a point of small order; its bearer's "
        "keys are to be made anew");
  }
  return shared;
}

bool IsX25519PublicKey(absl::string_view key) {
  // A point of small order gives zero with every private key; any other point
  // gives zero with none, since all keys are multiples of 8 (RFC 7748, section
  // 5).
  static const X25519KeyPair& any =
      *new X25519KeyPair(X25519KeyPair::FromPrivate(
                             SecretBytes::FilledBy(kX25519KeySize, [](auto) {}))
                             .value());
  return any.Agree(key).ok();
}

}  // namespace hilum
