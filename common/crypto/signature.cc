// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/signature.h"

#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

using UniqueDigest = std::unique_ptr<EVP_MD_CTX, OpenSslFree<EVP_MD_CTX_free>>;

const unsigned char* Bytes(absl::string_view data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

}  // namespace

struct Signer::Key {
  UniqueKey key;
};

Signer::Signer(std::unique_ptr<Key> key) : key_(std::move(key)) {}
Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

absl::StatusOr<Signer> Signer::Create(absl::string_view private_key_pem) {
  UniqueKey key = ReadPrivateKeyPem(private_key_pem);
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        "no unencrypted PEM private key in it; hilum-certs makes one");
  }
  if (!IsP256(key.get())) {
    return absl::InvalidArgumentError(
        "the private key is not ECDSA P-256; hilum-certs makes one");
  }
  return Signer(std::make_unique<Key>(Key{std::move(key)}));
}

std::string Signer::Sign(absl::string_view data) const {
  UniqueDigest context(EVP_MD_CTX_new());
  HILUM_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                 key_->key.get()) == 1);
  size_t size = 0;
  HILUM_CHECK(EVP_DigestSign(context.get(), nullptr, &size, Bytes(data),
                             data.size()) == 1);
  std::string signature(size, '\0');
  HILUM_CHECK(EVP_DigestSign(context.get(),
                             reinterpret_cast<unsigned char*>(signature.data()),
                             &size, Bytes(data), data.size()) == 1);
  signature.resize(size);
  return signature;
}

struct CertificateKey::Key {
  UniqueX509 certificate;
  EVP_PKEY* key;  // of the certificate
  bool is_p256;
};

CertificateKey::CertificateKey(std::shared_ptr<const Key> key)
    : key_(std::move(key)) {}

absl::StatusOr<CertificateKey> CertificateKey::Read(
    absl::string_view certificate_pem) {
  UniqueX509 certificate = ReadCertificatePem(certificate_pem);
  EVP_PKEY* key =
      certificate == nullptr ? nullptr : X509_get0_pubkey(certificate.get());
  if (key == nullptr) {
    return absl::InvalidArgumentError("no PEM certificate with a public key");
  }
  return CertificateKey(std::make_shared<const Key>(
      Key{std::move(certificate), key, IsP256(key)}));
}

absl::Status CertificateKey::Verify(absl::string_view data,
                                    absl::string_view signature) const {
  UniqueDigest context(EVP_MD_CTX_new());
  if (!key_->is_p256 ||
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                           key_->key) != 1 ||
      EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                       Bytes(data), data.size()) != 1) {
    return absl::UnauthenticatedError(
        "the signature is not the certificate's over these bytes");
  }
  return absl::OkStatus();
}

absl::Status VerifySignature(absl::string_view certificate_pem,
                             absl::string_view data,
                             absl::string_view signature) {
  HILUM_ASSIGN_OR_RETURN(CertificateKey key,
                         CertificateKey::Read(certificate_pem));
  return key.Verify(data, signature);
}

}  // namespace hilum
