// SPDX-License-Identifier: Apache-2.0
#include "certs/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
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

  // As a process of this role would load them.
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

// Runs the program itself.
class CertsProgramTest : public AuthorityTest {
 protected:
  int Run(const std::string& arguments) {
    return std::system(absl::StrCat(HILUM_BIN_DIR "/hilum-certs ", arguments,
                                    " >/dev/null 2>&1")
                           .c_str()) >>
           8;
  }
};

TEST_F(CertsProgramTest, KeysArePrivateAndNothingIsOverwrittenUnasked) {
  const std::string out = absl::StrCat(folder_, "/authority");
  const std::string init = absl::StrCat("init --consortium lungs --out ", out);
  ASSERT_EQ(Run(init), 0);
  struct stat info;
  ASSERT_EQ(stat(absl::StrCat(out, "/ca.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const std::string before = ReadFile(absl::StrCat(out, "/ca.key")).value();
  EXPECT_EQ(Run(init), 1);
  EXPECT_EQ(ReadFile(absl::StrCat(out, "/ca.key")).value(), before);
  EXPECT_EQ(Run(init + " --force"), 0);
  EXPECT_NE(ReadFile(absl::StrCat(out, "/ca.key")).value(), before);
}

TEST_F(CertsProgramTest, WrongUsageEndsWithTwo) {
  EXPECT_EQ(Run(""), 2);
  EXPECT_EQ(Run("init"), 2);
  EXPECT_EQ(Run("sign --authority a --csr b --out c --days 0"), 2);
  EXPECT_EQ(Run("--help"), 0);
  EXPECT_EQ(Run("--version"), 0);
}

}  // namespace
}  // namespace hilum
