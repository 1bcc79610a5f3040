// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certs/authority.h"
#include "common/base/clock.h"

namespace hilum {
namespace {

class SignatureTest : public testing::Test {
 protected:
  struct Bearer {
    std::string certificate;
    Signer signer;
  };
  Bearer MakeBearer(const std::string& site) const {
    const Request request = MakeRequest({.site = site}).value();
    return {SignRequest(authority_, request.request_pem, 9, now_).value(),
            Signer::Create(request.private_key_pem).value()};
  }

  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("lungs", now_).value();
};

constexpr absl::StatusCode kRefused = absl::StatusCode::kUnauthenticated;

TEST_F(SignatureTest, SignatureIsOfTheseBytesAlone) {
  const Bearer a = MakeBearer("a");
  const std::string signature = a.signer.Sign("data");
  EXPECT_LE(signature.size(), 72u);
  EXPECT_TRUE(VerifySignature(a.certificate, "data", signature).ok());
  const CertificateKey key = CertificateKey::Read(a.certificate).value();
  EXPECT_TRUE(key.Verify("data", signature).ok());
  EXPECT_EQ(key.Verify("Data", signature).code(), kRefused);
  EXPECT_EQ(key.Verify("", signature).code(), kRefused);
  EXPECT_EQ(key.Verify("data", "").code(), kRefused);
  for (size_t at = 0; at < signature.size(); ++at) {
    std::string turned = signature;
    turned[at] = static_cast<char>(turned[at] ^ 1);
    EXPECT_EQ(key.Verify("data", turned).code(), kRefused) << at;
  }
}

TEST_F(SignatureTest, SignatureIsOfThisKeyAlone) {
  const Bearer a = MakeBearer("a"), b = MakeBearer("b");
  EXPECT_EQ(
      VerifySignature(b.certificate, "data", a.signer.Sign("data")).code(),
      kRefused);
}

// Equal nonces would give the key away.
TEST_F(SignatureTest, SameBytesAreSignedDifferentlyEachTime) {
  const Bearer a = MakeBearer("a");
  EXPECT_NE(a.signer.Sign("data"), a.signer.Sign("data"));
}

TEST_F(SignatureTest, KeyThatWasReadOnceVerifiesManyTimesAndCopied) {
  const Bearer a = MakeBearer("a");
  auto read = CertificateKey::Read(a.certificate);
  ASSERT_TRUE(read.ok()) << read.status();
  const CertificateKey copy = *read;
  for (const char* data : {"x", "y"}) {
    EXPECT_TRUE(read->Verify(data, a.signer.Sign(data)).ok());
    EXPECT_TRUE(copy.Verify(data, a.signer.Sign(data)).ok());
  }
}

TEST_F(SignatureTest, WhatIsNoKeyOrCertificateIsRefused) {
  const Bearer a = MakeBearer("a");
  EXPECT_EQ(Signer::Create(a.certificate).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CertificateKey::Read(authority_.private_key_pem).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(VerifySignature("none", "data", "signature").code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
