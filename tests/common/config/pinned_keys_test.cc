// SPDX-License-Identifier: Apache-2.0
#include "common/config/pinned_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class PinnedKeysTest : public testing::Test {
 protected:
  Request NewKey(const std::string& site) const {
    return MakeRequest({.site = site}).value();
  }
  std::string Certificate(const Request& request) const {
    return SignRequest(authority_, request.request_pem, 30, now_).value();
  }

  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("test", now_).value();
  const Request key_ = NewKey("north");
  const std::string certificate_ = Certificate(key_);

  v1::Study Pinned() const {
    v1::Study study;
    study.add_sites("east");
    study.add_sites("north");
    study.add_site_keys(std::string(32, 'e'));
    study.add_site_keys(KeyDigest(certificate_));
    return study;
  }
};

// The expected digest is from `openssl x509 -pubkey | openssl pkey -pubin
// -outform DER | sha256sum`.
TEST_F(PinnedKeysTest, TheDigestIsOfThePublicKeyAsOpensslWritesIt) {
  constexpr char kCertificate[] = R"(-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUId+pudC+KFBy0mWUpgKR+T+IJJswCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFbm9ydGgwHhcNMjYxMjAxMDEzMDQ3WhcNMzYxMTI4MDEzMDQ3
WjAQMQ4wDAYDVQQDDAVub3J0aDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE+K
EbfUVTedZoFUjo9klgZm1CSmT2o6++319wVvBFf6rDXPCvP5hFMZEJCyLJFaSOCR
jzHlUfNNq9lagyDytNmjUzBRMB0GA1UdDgQWBBTX795euUzFeTiM/coaEnRv3il1
EjAfBgNVHSMEGDAWgBTX795euUzFeTiM/coaEnRv3il1EjAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIALUfneeaRER6YvI/GYi7Wvqc6PafMIesI3p
OmJFcIUcAiEAycN9Iy7CtfR90MJPwt9fLZEpYQT9xGBth+km6QG6Bf8=
-----END CERTIFICATE-----
)";
  EXPECT_EQ(ToHex(KeyDigest(kCertificate)),
            "342ec400b852689d574fcfbd45c0587f94b1841b06039eb4622340f17ae70ba6");
  EXPECT_EQ(KeyDigest("no certificate"), "");
}

TEST_F(PinnedKeysTest, ARenewedCertificateOfTheSameKeyIsThePinnedOne) {
  const std::string renewed =
      SignRequest(authority_, key_.request_pem, 60, now_).value();
  ASSERT_NE(renewed, certificate_);
  EXPECT_TRUE(CheckPinnedKey(Pinned(), SiteId("north"), renewed).ok());
}

TEST_F(PinnedKeysTest, AnotherKeyOfTheSameNameIsRefusedByName) {
  const std::string other = Certificate(NewKey("north"));
  const absl::Status refused = CheckPinnedKey(Pinned(), SiteId("north"), other);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("site north"));
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr(ToHex(KeyDigest(other))));
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr(ToHex(KeyDigest(certificate_))));
}

TEST_F(PinnedKeysTest, KeysArePinnedByPlaceAndNotByBeingInTheStudy) {
  EXPECT_EQ(CheckPinnedKey(Pinned(), SiteId("east"), certificate_).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CheckPinnedKey(Pinned(), SiteId("west"), certificate_).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(PinnedKeysTest, AStudyWithoutPinnedKeysTakesAnyKey) {
  v1::Study study = Pinned();
  study.clear_site_keys();
  EXPECT_TRUE(CheckPinnedKey(study, SiteId("north"), certificate_).ok());
  EXPECT_EQ(PinnedKey(study, SiteId("north")), std::nullopt);
}

}  // namespace
}  // namespace hilum
