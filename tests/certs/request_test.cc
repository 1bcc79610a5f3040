// SPDX-License-Identifier: Apache-2.0
// A request: what it says, and what it may not ask for (authority.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "tests/certs/authority_fixture.h"

namespace hilum {
namespace {

using testing::HasSubstr;

using RequestTest = AuthorityTest;

TEST_F(RequestTest, ARequestChangedOnItsWayIsRefused) {
  std::string pem = MakeRequest({.site = "st-mary"}).value().request_pem;
  const size_t at = pem.size() - 80;  // in the signature
  pem[at] = pem[at] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(SignRequest(authority_, pem, 9, now_).ok());
  EXPECT_FALSE(SignRequest(authority_, "", 9, now_).ok());
  EXPECT_FALSE(
      SignRequest(authority_, authority_.certificate_pem, 9, now_).ok());
}

TEST_F(RequestTest, NamesThatAreNoneAreRefused) {
  EXPECT_FALSE(MakeRequest({.site = "St Mary"}).ok());
  EXPECT_FALSE(MakeRequest({.site = "a,DNS:evil.org"}).ok());
  EXPECT_FALSE(MakeRequest({.hosts = {"a.org,URI:x"}}).ok());
  EXPECT_FALSE(
      MakeRequest({.hosts = {std::string("10.0.0.1\0.org", 13)}}).ok());
  EXPECT_FALSE(MakeRequest({.site = "a", .hosts = {"a.org"}}).ok());
  EXPECT_FALSE(MakeRequest({}).ok());
  EXPECT_FALSE(MakeAuthority("Lungs!", now_).ok());
}

TEST_F(RequestTest, ARequestAndItsCertificateHaveOneKeyDigest) {
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
  // OpenSSL's own digest of the same bytes.
  const std::string path = Write("st.crt", first);
  const std::string command = absl::StrCat(
      "openssl x509 -in ", path, " -noout -pubkey | openssl pkey -pubin ",
      "-outform DER | openssl dgst -sha256 -r | cut -c1-64 > ", folder_, "/d");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(ReadFile(folder_ + "/d").value(),
            absl::StrCat(absl::BytesToHexString(received.key_digest), "\n"));
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

}  // namespace
}  // namespace hilum
