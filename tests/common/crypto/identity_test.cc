// SPDX-License-Identifier: Apache-2.0
// Tests the private key with which a process presents itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/crypto/certificate.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    std::filesystem::create_directories(folder_);
    Write("ca.crt", authority_.certificate_pem);
    Write("ca.key", authority_.private_key_pem);
    const Request request = MakeRequest({.site = "st-mary"}).value();
    Write("own.key", request.private_key_pem);
    Write("own.crt",
          SignRequest(authority_, request.request_pem, 9, now_).value());
  }
  ~IdentityTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(
        WriteFileAtomically(Path(name), text, Durability::kNone, 0600).ok());
  }

  // Writes a certificate of our authority over a key that `openssl genpkey`
  // makes with these options.
  void MakeOtherKind(const std::string& options) {
    Write("names", "subjectAltName=URI:hilum://lungs/site/st-mary\n");
    const std::string command = absl::StrCat(
        "cd ", folder_, " && exec >log 2>&1 && openssl genpkey ", options,
        " -out own.key && chmod 600 own.key && ",
        "openssl req -new -key own.key -subj /CN=st-mary -out own.csr && ",
        "openssl x509 -req -in own.csr -CA ca.crt -CAkey ca.key -days 9 ",
        "-extfile names -out own.crt");
    ASSERT_EQ(std::system(command.c_str()), 0) << *ReadFile(Path("log"));
  }

  absl::Status Load() {
    return LoadIdentity(Path("ca.crt"), Path("own.crt"), Path("own.key"),
                        Role::kSite, RealClock().Now())
        .status();
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/identity-", getpid());
  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("lungs", now_).value();
};

TEST_F(IdentityTest, KeyThatFitsAndIsPrivateIsTaken) {
  EXPECT_TRUE(Load().ok()) << Load();
  ASSERT_EQ(chmod(Path("own.key").c_str(), 0400), 0);
  EXPECT_TRUE(Load().ok()) << Load();
}

TEST_F(IdentityTest, KeyOpenToOthersIsRefusedWithTheCommandThatMendsIt) {
  for (mode_t mode : {0640, 0604, 0660, 0644, 0610}) {
    ASSERT_EQ(chmod(Path("own.key").c_str(), mode), 0);
    EXPECT_EQ(Load().code(), absl::StatusCode::kPermissionDenied) << mode;
    EXPECT_THAT(std::string(Load().message()),
                HasSubstr(absl::StrCat("chmod 600 ", Path("own.key"))));
  }
}

TEST_F(IdentityTest, KeyOfAnotherCertificateIsRefused) {
  Write("own.key", MakeRequest({.site = "st-mary"}).value().private_key_pem);
  EXPECT_EQ(Load().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(Load().message()),
              HasSubstr("own.key: not the key of"));
}

TEST_F(IdentityTest, KeysThatAreNotOfP256AreRefused) {
  for (const char* options :
       {"-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "-algorithm ED25519"}) {
    MakeOtherKind(options);
    EXPECT_EQ(Load().code(), absl::StatusCode::kUnauthenticated) << options;
    EXPECT_THAT(std::string(Load().message()),
                HasSubstr("own.key: not an ECDSA P-256 key"));
  }
  MakeOtherKind("-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
  EXPECT_TRUE(Load().ok()) << Load();
}

TEST_F(IdentityTest, FileWithoutAKeyIsNamed) {
  Write("own.key", "no key");
  EXPECT_THAT(std::string(Load().message()),
              HasSubstr("own.key: no unencrypted PEM private key"));
}

}  // namespace
}  // namespace hilum
