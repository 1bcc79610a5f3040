// SPDX-License-Identifier: Apache-2.0
#include "certs/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "tests/certs/authority_fixture.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(AuthorityTest, ASitesCertificateSaysWhoItIsAndPassesTheSitesOwnChecks) {
  const Request request = MakeRequest({.site = "st-mary"}).value();
  const auto certificate =
      SignRequest(authority_, request.request_pem, 397, now_);
  ASSERT_TRUE(certificate.ok()) << certificate.status();
  const auto identity =
      Load(authority_, *certificate, request.private_key_pem, Role::kSite);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_THAT(identity->certificate.uris,
              ElementsAre("hilum://lungs/site/st-mary"));
  EXPECT_LT(identity->certificate.not_before, now_);
  EXPECT_GT(identity->certificate.not_after, now_ + absl::Hours(24 * 396));
}

TEST_F(AuthorityTest, TheCoordinatorsCertificateHasItsHosts) {
  const Request request =
      MakeRequest({.hosts = {"fed.example.org", "127.0.0.1", "::1"}}).value();
  const auto certificate =
      SignRequest(authority_, request.request_pem, 30, now_);
  ASSERT_TRUE(certificate.ok()) << certificate.status();
  const auto identity = Load(authority_, *certificate, request.private_key_pem,
                             Role::kCoordinator);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_THAT(identity->certificate.hosts,
              ElementsAre("fed.example.org", "127.0.0.1", "::1"));
  EXPECT_FALSE(
      Load(authority_, *certificate, request.private_key_pem, Role::kSite)
          .ok());
}

// Reading one of three bytes as one of sixteen would show what lies behind it.
TEST_F(AuthorityTest, AnAddressThatIsNeitherOfFourNorSixteenBytesIsNoHost) {
  const Request request = MakeRequest({.hosts = {"a.org", "10.0.0.1"}}).value();
  const absl::string_view pem = "-----BEGIN CERTIFICATE-----\n";
  const std::string whole =
      SignRequest(authority_, request.request_pem, 9, now_).value();
  std::string der;
  ASSERT_TRUE(absl::Base64Unescape(
      whole.substr(pem.size(), whole.find("-----END") - pem.size()), &der));
  const std::string names("\x82\5a.org\x87\4\x0a\0\0\1", 13);
  const size_t at = der.find(names);
  ASSERT_NE(at, std::string::npos);
  der.replace(at, names.size(), "\x82\6a.org.\x87\3\x0a\1\1");
  const auto info = ParseCertificate(absl::StrCat(
      pem, absl::Base64Escape(der), "\n-----END CERTIFICATE-----\n"));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_THAT(info->hosts, ElementsAre("a.org."));
}

TEST_F(AuthorityTest, OpensslAcceptsTheChain) {
  const Request request = MakeRequest({.site = "st-mary"}).value();
  const std::string certificate = Write(
      "st.crt", SignRequest(authority_, request.request_pem, 9, now_).value());
  const std::string ca = Write("ca.crt", authority_.certificate_pem);
  const std::string command =
      absl::StrCat("openssl verify -x509_strict -purpose sslclient -CAfile ",
                   ca, " ", certificate, " >/dev/null 2>&1");
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST_F(AuthorityTest, ExpiredAndForeignCertificatesAreToldApart) {
  const Request request = MakeRequest({.site = "st-mary"}).value();
  const auto old = SignRequest(authority_, request.request_pem, 1,
                               now_ - absl::Hours(24 * 30));
  EXPECT_THAT(std::string(Load(authority_, old.value(), request.private_key_pem,
                               Role::kSite)
                              .status()
                              .message()),
              HasSubstr("expired"));
  const Authority other = MakeAuthority("others", now_).value();
  const auto foreign = SignRequest(other, request.request_pem, 9, now_);
  EXPECT_THAT(std::string(Load(authority_, foreign.value(),
                               request.private_key_pem, Role::kSite)
                              .status()
                              .message()),
              HasSubstr("not by the authority"));
}

TEST_F(AuthorityTest, DaysOutOfRangeAreRefused) {
  const Request request = MakeRequest({.site = "st-mary"}).value();
  for (int days : {-1, 0, 3651}) {
    EXPECT_FALSE(SignRequest(authority_, request.request_pem, days, now_).ok());
  }
}

}  // namespace
}  // namespace hilum
