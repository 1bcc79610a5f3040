// SPDX-License-Identifier: Apache-2.0
#include "certs/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/crypto/certificate.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest()
      : folder_(absl::StrCat(testing::TempDir(), "/certs-", getpid())),
        now_(RealClock().Now()),
        authority_(MakeAuthority("lungs", now_).value()) {
    std::filesystem::create_directories(folder_);
  }
  ~AuthorityTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text,
                    uint32_t mode = 0644) {
    const std::string path = absl::StrCat(folder_, "/", name);
    EXPECT_TRUE(WriteFileAtomically(path, text, Durability::kNone, mode).ok());
    return path;
  }

  // Loads the certificate as a process with this role does.
  absl::StatusOr<Identity> Load(const Authority& authority,
                                const std::string& certificate,
                                const std::string& key, Role role) {
    return LoadIdentity(Write("ca.crt", authority.certificate_pem),
                        Write("own.crt", certificate),
                        Write("own.key", key, 0600), role, now_);
  }

  const std::string folder_;
  const absl::Time now_;
  const Authority authority_;
};

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

// Reading three bytes as sixteen would show the memory behind them.
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

TEST_F(AuthorityTest, ARequestChangedOnItsWayIsRefused) {
  std::string pem = MakeRequest({.site = "st-mary"}).value().request_pem;
  const size_t at = pem.size() - 80;  // in the signature
  pem[at] = pem[at] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(SignRequest(authority_, pem, 9, now_).ok());
  EXPECT_FALSE(SignRequest(authority_, "", 9, now_).ok());
  EXPECT_FALSE(
      SignRequest(authority_, authority_.certificate_pem, 9, now_).ok());
}

TEST_F(AuthorityTest, NamesThatAreNoneAreRefused) {
  EXPECT_FALSE(MakeRequest({.site = "St Mary"}).ok());
  EXPECT_FALSE(MakeRequest({.site = "a,DNS:evil.org"}).ok());
  EXPECT_FALSE(MakeRequest({.hosts = {"a.org,URI:x"}}).ok());
  EXPECT_FALSE(
      MakeRequest({.hosts = {std::string("10.0.0.1\0.org", 13)}}).ok());
  EXPECT_FALSE(MakeRequest({.site = "a", .hosts = {"a.org"}}).ok());
  EXPECT_FALSE(MakeRequest({}).ok());
  EXPECT_FALSE(MakeAuthority("Lungs!", now_).ok());
}

TEST_F(AuthorityTest, DaysOutOfRangeAreRefused) {
  const Request request = MakeRequest({.site = "st-mary"}).value();
  for (int days : {-1, 0, 3651}) {
    EXPECT_FALSE(SignRequest(authority_, request.request_pem, days, now_).ok());
  }
}

// Requests by another program for more than a certificate may have.
class ForeignRequestTest : public AuthorityTest {
 protected:
  // Reads a request with this subject and these extensions.
  absl::Status Read(const std::string& subject, const std::string& extensions,
                    const std::string& key =
                        "ec -pkeyopt "
                        "ec_paramgen_curve:P-256") {
    Write("req.cnf", absl::StrCat("[req]\ndistinguished_name=d\nprompt=no\n",
                                  "req_extensions=e\n[d]\n", subject, "\n[e]\n",
                                  extensions, "\n"));
    const std::string command = absl::StrCat(
        "cd ", folder_, " && openssl req -new -nodes -newkey ", key,
        " -keyout k -config req.cnf -out csr >/dev/null 2>&1");
    EXPECT_EQ(std::system(command.c_str()), 0);
    return ReadRequest(ReadFile(absl::StrCat(folder_, "/csr")).value())
        .status();
  }
};

TEST_F(ForeignRequestTest, ARequestThatSaysOneThingIsRead) {
  EXPECT_TRUE(
      Read("CN=st-mary", "subjectAltName=URI:hilum://requested/site/st-mary")
          .ok());
}

TEST_F(ForeignRequestTest, ARequestThatAsksForMoreIsRefused) {
  const std::string name = "subjectAltName=URI:hilum://requested/site/st-mary";
  const std::string more = ",URI:hilum://requested/coordinator";
  EXPECT_FALSE(Read("CN=st-john", name).ok());
  EXPECT_FALSE(Read("CN=st-mary\nO=lungs", name).ok());
  EXPECT_FALSE(Read("CN=st-mary", name + "\nbasicConstraints=CA:TRUE").ok());
  EXPECT_FALSE(Read("CN=st-mary", name + more).ok());
  EXPECT_FALSE(Read("CN=st-mary", name + ",DNS:fed.example.org").ok());
  EXPECT_FALSE(Read("CN=st-mary", name + ",email:a@b.org").ok());
  EXPECT_FALSE(
      Read("CN=st-mary", "subjectAltName=URI:hilum://others/site/st-mary")
          .ok());
  EXPECT_FALSE(Read("CN=coordinator",
                    "subjectAltName=URI:hilum://requested/site/coordinator")
                   .ok());
  EXPECT_FALSE(Read("CN=st-mary", name, "rsa:2048").ok());
}

TEST_F(ForeignRequestTest, ARequestIsBounded) {
  std::string hosts = "subjectAltName=URI:hilum://requested/coordinator";
  for (int i = 0; i < 32; ++i) absl::StrAppend(&hosts, ",DNS:h", i, ".org");
  EXPECT_TRUE(Read("CN=coordinator", hosts).ok());
  EXPECT_THAT(
      std::string(Read("CN=coordinator", hosts + ",DNS:more.org").message()),
      HasSubstr("over 33 names"));
  const std::string good = MakeRequest({.site = "st-mary"}).value().request_pem;
  EXPECT_THAT(
      std::string(
          ReadRequest(std::string(16 << 10, '\n') + good).status().message()),
      HasSubstr("over 16 KiB"));
}

TEST_F(AuthorityTest, ARequestAndItsCertificateHaveOneKeyDigest) {
  const Request made = MakeRequest({.site = "st-mary"}).value();
  const ReceivedRequest received = ParseRequest(made.request_pem).value();
  const std::string first =
      SignRequest(authority_, made.request_pem, 9, now_).value();
  const std::string renewed =
      SignRequest(authority_, made.request_pem, 9, now_).value();
  EXPECT_EQ(received.key_digest.size(), 32u);
  EXPECT_EQ(KeyDigest(first), received.key_digest);
  EXPECT_EQ(KeyDigest(renewed), received.key_digest);
  EXPECT_NE(KeyDigest(authority_.certificate_pem), received.key_digest);
  EXPECT_EQ(KeyDigest("none"), "");
  // The digest of the same bytes by the openssl program.
  const std::string path = Write("st.crt", first);
  const std::string command = absl::StrCat(
      "openssl x509 -in ", path, " -noout -pubkey | openssl pkey -pubin ",
      "-outform DER | openssl dgst -sha256 -r | cut -c1-64 > ", folder_, "/d");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(ReadFile(folder_ + "/d").value(),
            absl::StrCat(absl::BytesToHexString(received.key_digest), "\n"));
}

}  // namespace
}  // namespace hilum
