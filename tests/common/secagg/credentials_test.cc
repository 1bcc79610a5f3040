// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certs/authority.h"
#include "common/base/clock.h"

namespace hilum {
namespace {

class TurnedClock : public Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = RealClock().Now();
};

class CredentialsTest : public testing::Test {
 protected:
  struct Member {
    std::string certificate;
    Signer signer;
  };
  Member MemberOf(const Authority& authority, const std::string& site) {
    const Request request = MakeRequest({.site = site}).value();
    return {SignRequest(authority, request.request_pem, 1, clock_.now).value(),
            Signer::Create(request.private_key_pem).value()};
  }
  absl::StatusCode Verified(const std::string& site, const Member& member,
                            const std::string& data = "data") {
    return verifier_
        .Verify(SiteId(site), member.certificate, data,
                member.signer.Sign("data"))
        .code();
  }

  TurnedClock clock_;
  const Authority authority_ = MakeAuthority("lungs", clock_.now).value();
  const PeerVerifier verifier_{authority_.certificate_pem, "lungs", clock_};
};

constexpr absl::StatusCode kRefused = absl::StatusCode::kUnauthenticated;

TEST_F(CredentialsTest, SignatureIsOfTheNamedSiteOverTheseBytes) {
  const Member a = MemberOf(authority_, "a");
  EXPECT_EQ(Verified("a", a), absl::StatusCode::kOk);
  EXPECT_EQ(Verified("a", a, "other data"), kRefused);
}

TEST_F(CredentialsTest, CertificateOfAnotherSiteIsRefusedAlsoWhenItIsKnown) {
  const Member a = MemberOf(authority_, "a");
  EXPECT_EQ(Verified("b", a), kRefused);
  ASSERT_EQ(Verified("a", a), absl::StatusCode::kOk);
  const absl::Status status = verifier_.Verify(SiteId("b"), a.certificate,
                                               "data", a.signer.Sign("data"));
  EXPECT_EQ(status.code(), kRefused);
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("is shown for site b"));
}

TEST_F(CredentialsTest, CertificateOfAnotherAuthorityIsRefused) {
  const Authority other = MakeAuthority("lungs", clock_.now).value();
  EXPECT_EQ(Verified("a", MemberOf(other, "a")), kRefused);
}

// A certificate that has passed is kept, but not beyond its end.
TEST_F(CredentialsTest, KnownCertificateIsRefusedAfterItsEnd) {
  const Member a = MemberOf(authority_, "a");
  ASSERT_EQ(Verified("a", a), absl::StatusCode::kOk);
  clock_.now += absl::Hours(24 * 365 * 100);
  EXPECT_EQ(Verified("a", a), kRefused);
}

}  // namespace
}  // namespace hilum
