// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/certificate.h"

#include <gtest/gtest.h>

#include "common/crypto/signature.h"

namespace hilum {
namespace {

TEST(BearerUriTest, ReadsWhatItWrites) {
  for (const char* site : {"", "st-mary"}) {
    BearerName name{.consortium = "lungs", .site = site};
    absl::StatusOr<BearerName> read = ParseBearerUri(BearerUri(name));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->consortium, "lungs");
    EXPECT_EQ(read->site, site);
  }
}

TEST(BearerUriTest, RefusesWhatIsNoBearer) {
  for (const char* uri :
       {"", "hilum://", "hilum://c", "hilum://c/site/", "hilum://c/site/A",
        "hilum://c/site/a/b", "hilum:///coordinator", "http://c/site/a",
        "hilum://c/coordinator/"}) {
    EXPECT_EQ(ParseBearerUri(uri).status().code(),
              absl::StatusCode::kInvalidArgument)
        << uri;
  }
}

TEST(ParseCertificateTest, RefusesWhatIsNoCertificate) {
  EXPECT_EQ(ParseCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n"
                             "-----END CERTIFICATE-----\n")
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(ParseCertificate("").ok());
}

TEST(SignerTest, RefusesWhatIsNoKey) {
  EXPECT_EQ(Signer::Create("no key").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
