// SPDX-License-Identifier: Apache-2.0
#include "certs/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/certs/authority_fixture.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

using DescribeTest = AuthorityTest;

TEST_F(DescribeTest, BearerWithoutASiteIsTheCoordinator) {
  EXPECT_EQ(RoleOf({.site = "st-mary"}), "site");
  EXPECT_EQ(NameOf({.site = "st-mary"}), "st-mary");
  EXPECT_EQ(RoleOf({.hosts = {"a.org"}}), "coordinator");
  EXPECT_EQ(NameOf({.hosts = {"a.org"}}), "coordinator");
}

TEST_F(DescribeTest, DamagedRequestIsCalledBroken) {
  ReceivedRequest request{.name = {.site = "st-mary"},
                          .key_digest = "\x01\x02",
                          .signed_by_its_key = true};
  EXPECT_THAT(DescribeRequest(request), Not(HasSubstr("BROKEN")));
  EXPECT_THAT(DescribeRequest(request), HasSubstr("0102"));
  request.signed_by_its_key = false;
  EXPECT_THAT(DescribeRequest(request), HasSubstr("BROKEN"));
}

TEST_F(DescribeTest, CertificateSaysWhoseItIsAndWhetherItIsAnAuthoritys) {
  const Request request = MakeRequest({.site = "st-mary"}).value();
  const std::string site =
      DescribeCertificate(
          SignRequest(authority_, request.request_pem, 9, now_).value())
          .value();
  EXPECT_THAT(site, HasSubstr("role         site\nname         st-mary\n"
                              "consortium   lungs\n"));
  EXPECT_THAT(site, HasSubstr("its issuer's, not checked here"));
  const std::string own =
      DescribeCertificate(authority_.certificate_pem).value();
  EXPECT_THAT(own, HasSubstr("role         authority\n"));
  EXPECT_THAT(own, HasSubstr("its own key's, ok"));
  EXPECT_EQ(DescribeCertificate("none").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(DescribeTest, FileThatIsThereIsReplacedOnlyByForce) {
  const std::string path = Write("there", "x");
  EXPECT_TRUE(CheckFree({folder_ + "/free"}, false).ok());
  const absl::Status taken = CheckFree({folder_ + "/free", path}, false);
  EXPECT_EQ(taken.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(taken.message()), HasSubstr(path));
  EXPECT_TRUE(CheckFree({path}, true).ok());
}

TEST_F(DescribeTest, PathIsNamedOnce) {
  EXPECT_TRUE(Naming("a.csr", absl::OkStatus()).ok());
  EXPECT_EQ(Naming("a.csr", absl::InvalidArgumentError("no request")),
            absl::InvalidArgumentError("a.csr: no request"));
  EXPECT_EQ(Naming("a.csr", absl::NotFoundError("a.csr: cannot open")),
            absl::NotFoundError("a.csr: cannot open"));
  EXPECT_EQ(Naming("a.csr", absl::NotFoundError("ca.csr: cannot open")),
            absl::NotFoundError("a.csr: ca.csr: cannot open"));
}

}  // namespace
}  // namespace hilum
