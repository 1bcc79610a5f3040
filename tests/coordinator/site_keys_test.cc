// SPDX-License-Identifier: Apache-2.0
#include "coordinator/site_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"
#include "coordinator/federation_core.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SiteKeysTest : public testing::Test {
 protected:
  SiteKeysTest() {
    for (const char* site : {"north", "east", "south"}) {
      study_.add_sites(site);
      certificates_[site] = Certificate(authority_, {.site = site});
    }
  }

  std::string Certificate(const Authority& authority,
                          const RequestedName& name) const {
    const Request request = MakeRequest(name).value();
    return SignRequest(authority, request.request_pem, 30, now_).value();
  }
  absl::Status Pin(const std::vector<std::string>& certificates) {
    return PinSiteKeys(certificates,
                       {.authority_pem = authority_.certificate_pem,
                        .consortium = "test",
                        .now = now_},
                       study_);
  }
  std::string Of(const std::string& site) const {
    return certificates_.at(site);
  }
  std::string Refusal(const std::vector<std::string>& certificates) {
    const absl::Status pinned = Pin(certificates);
    EXPECT_FALSE(pinned.ok());
    EXPECT_TRUE(study_.site_keys().empty());
    return std::string(pinned.message());
  }

  const absl::Time now_ = RealClock().Now();
  const Authority authority_ = MakeAuthority("test", now_).value();
  std::map<std::string, std::string> certificates_;
  v1::Study study_;
};

TEST_F(SiteKeysTest, KeysAreInTheOrderOfTheSortedSites) {
  ASSERT_TRUE(Pin({Of("north"), Of("south"), Of("east")}).ok());
  EXPECT_THAT(study_.sites(), ElementsAre("east", "north", "south"));
  EXPECT_THAT(study_.site_keys(),
              ElementsAre(KeyDigest(Of("east")), KeyDigest(Of("north")),
                          KeyDigest(Of("south"))));
}

TEST_F(SiteKeysTest, WithoutCertificatesNoKeysArePinned) {
  EXPECT_TRUE(Pin({}).ok());
  EXPECT_TRUE(study_.site_keys().empty());
}

TEST_F(SiteKeysTest, EachSiteIsNeededExactlyOnce) {
  EXPECT_THAT(Refusal({Of("north"), Of("south")}),
              HasSubstr("no certificate of site east"));
  EXPECT_THAT(Refusal({Of("north"), Of("south"), Of("east"), Of("south")}),
              HasSubstr("two certificates are of site south"));
  EXPECT_THAT(Refusal({Of("north"), Of("south"), Of("east"),
                       Certificate(authority_, {.site = "west"})}),
              HasSubstr("hilum://test/site/west"));
}

TEST_F(SiteKeysTest, TheCoordinatorsCertificateIsNoSites) {
  EXPECT_THAT(Refusal({Certificate(authority_, {.hosts = {"localhost"}})}),
              HasSubstr("hilum://test/coordinator"));
}

TEST_F(SiteKeysTest, AnotherAuthoritysCertificateIsRefused) {
  const Authority other = MakeAuthority("test", now_).value();
  const absl::Status pinned =
      Pin({Of("north"), Of("south"), Certificate(other, {.site = "east"})});
  EXPECT_EQ(pinned.code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(SiteKeysTest, KeysThatTheStudyBringsAreRefused) {
  for (int i = 0; i < 3; ++i) study_.add_site_keys(std::string(32, 'k'));
  EXPECT_THAT(std::string(Pin({}).message()), HasSubstr("'site_keys'"));
}

TEST_F(SiteKeysTest, OfAFolderTheCertificatesOfTheSitesAreRead) {
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/site_keys-", getpid());
  ASSERT_TRUE(MakeDirectories(folder).ok());
  auto write = [&](const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(folder, "/", name);
    EXPECT_TRUE(WriteFileAtomically(path, text).ok());
    return path;
  };
  write("ca.crt", authority_.certificate_pem);
  write("west.crt", Certificate(authority_, {.site = "west"}));
  write("north.key", "no certificate");
  write("north.crt", Of("north"));
  const std::string notes = write("notes.pem", "no certificate");
  EXPECT_THAT(ReadSiteCertificates({folder}, study_).value(),
              ElementsAre(Of("north")));
  const std::string east = write("east.txt", Of("east"));
  EXPECT_THAT(ReadSiteCertificates({east, folder}, study_).value(),
              ElementsAre(Of("east"), Of("north")));
  EXPECT_THAT(
      std::string(ReadSiteCertificates({notes}, study_).status().message()),
      HasSubstr("notes.pem: no PEM certificate"));
  v1::Study others;
  others.add_sites("far");
  EXPECT_THAT(
      std::string(ReadSiteCertificates({folder}, others).status().message()),
      HasSubstr("no *.crt or *.pem"));
  std::filesystem::remove_all(folder);
}

TEST_F(SiteKeysTest, AStudyIsOfferedWithTheKeysItWasSubmittedWith) {
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/pinned-", getpid());
  std::filesystem::remove_all(folder);
  auto core = FederationCore::Open({.state_dir = folder,
                                    .authority_pem = authority_.certificate_pem,
                                    .consortium = "test"},
                                   RealClock());
  ASSERT_TRUE(core.ok()) << core.status();
  study_.set_name("pinned");
  for (const char* label : {"sick", "well"}) study_.add_classes(label);
  SubmissionOptions options;
  options.site_certificates = {Of("north"), Of("south")};
  EXPECT_FALSE((*core)->SubmitStudy(study_, "", options).ok());
  options.site_certificates.push_back(Of("east"));
  const auto hash = (*core)->SubmitStudy(study_, "", options);
  ASSERT_TRUE(hash.ok()) << hash.status();
  v1::NextTaskRequest poll;
  poll.mutable_header()->set_protocol_version(kProtocolVersion);
  const auto offered = (*core)->NextTask(SiteId("east"), poll);
  ASSERT_TRUE(offered.ok()) << offered.status();
  const auto study = ParseStudy(offered->offer().study());
  ASSERT_TRUE(study.ok()) << study.status();
  EXPECT_EQ(Sha256Of(offered->offer().study()), *hash);
  EXPECT_THAT(study->site_keys(),
              ElementsAre(KeyDigest(Of("east")), KeyDigest(Of("north")),
                          KeyDigest(Of("south"))));
  core->reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hilum
