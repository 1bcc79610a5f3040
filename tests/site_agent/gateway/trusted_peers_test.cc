// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/trusted_peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/site_config.h"

namespace hilum {
namespace {

using testing::HasSubstr;

std::string KeyOf(const std::string& site) { return Sha256Of(site); }

// Returns a study of four sites with pinned keys; this site is "a".
v1::Study FourSites() {
  v1::Study study;
  for (const char* site : {"a", "b", "c", "d"}) {
    study.add_sites(site);
    study.add_site_keys(KeyOf(site));
  }
  return study;
}

v1::Policy Knows(const std::vector<std::string>& sites) {
  v1::Policy policy;
  for (const std::string& site : sites) {
    v1::TrustedPeer* peer = policy.add_trusted_peers();
    peer->set_site(site);
    peer->set_key(ToHex(KeyOf(site)));
  }
  return policy;
}

std::set<SiteId> Sites(const std::vector<std::string>& names) {
  std::set<SiteId> sites;
  for (const std::string& name : names) sites.emplace(name);
  return sites;
}

class TrustedPeersTest : public testing::Test {
 protected:
  const v1::Study study_ = FourSites();
  const std::set<SiteId> others_ = OtherSites(study_, SiteId("a"));
};

TEST_F(TrustedPeersTest, WhereNobodyIsListedNobodyIsAskedFor) {
  EXPECT_TRUE(CheckTrusted({}, study_, others_).ok());
  EXPECT_EQ(CountTrusted({}, study_, others_), 0);
}

TEST_F(TrustedPeersTest, TwoAreNeededOnceAnyIsListed) {
  EXPECT_TRUE(CheckTrusted(Knows({"b", "c"}), study_, others_).ok());
  const absl::Status one = CheckTrusted(Knows({"b", "z"}), study_, others_);
  EXPECT_EQ(one.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(one.message()), HasSubstr("1 of 3 other sites"));
}

TEST_F(TrustedPeersTest, TheyMustBeAmongTheSurvivorsAndNotOnlyInTheStudy) {
  const v1::Policy policy = Knows({"b", "c"});
  EXPECT_TRUE(CheckTrusted(policy, study_, Sites({"b", "c"})).ok());
  EXPECT_FALSE(CheckTrusted(policy, study_, Sites({"b", "d"})).ok());
  v1::Policy one = policy;
  one.set_minimum_trusted(1);
  EXPECT_TRUE(CheckTrusted(one, study_, Sites({"b", "d"})).ok());
}

TEST_F(TrustedPeersTest, AKnownNameWithAnotherKeyIsRefusedByName) {
  v1::Study forged = study_;
  forged.set_site_keys(3, KeyOf("somebody"));
  const absl::Status refused =
      CheckTrusted(Knows({"b", "c", "d"}), forged, others_);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("for d;"));
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr(ToHex(KeyOf("somebody"))));
}

TEST_F(TrustedPeersTest, NobodyIsKnownInAStudyThatPinsNoKeys) {
  v1::Study study = study_;
  study.clear_site_keys();
  const absl::Status refused = CheckTrusted(Knows({"b", "c"}), study, others_);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("pins no keys"));
}

// Returns the error of LoadSiteConfig about a policy, without its folder.
std::string Faults(const std::string& policy) {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/trusted-", getpid(), ".yaml");
  EXPECT_TRUE(WriteFileAtomically(
                  path, absl::StrCat("coordinator: localhost:1\nstate_dir: .\n"
                                     "manifest: m.csv\n"
                                     "tls: {authority: a, certificate: c, "
                                     "private_key: k}\npolicy:\n",
                                     policy))
                  .ok());
  const std::string said(LoadSiteConfig(path).status().message());
  unlink(path.c_str());
  const size_t name = said.find(".yaml");
  return name == std::string::npos ? said : said.substr(name + 5);
}

TEST(PolicyFieldsTest, WhatIsWrongIsSaidWithItsPlace) {
  const std::string key(64, 'a');
  const std::string good =
      absl::StrCat("    - {site: north, key: ", key, "}\n");
  EXPECT_EQ(Faults(absl::StrCat("  trusted_peers:\n", good,
                                "    - {site: east, key: ", key, "}\n")),
            "");
  EXPECT_THAT(Faults(absl::StrCat("  trusted_peers:\n", good,
                                  "    - {site: East, key: ", key, "}\n")),
              testing::StartsWith(":8:8: a trusted peer's 'site'"));
  EXPECT_THAT(Faults(absl::StrCat("  trusted_peers:\n", good,
                                  "    - site: east\n      key: 12\n")),
              testing::StartsWith(":9:7: the 'key' of east must be 64"));
  EXPECT_THAT(Faults(absl::StrCat("  trusted_peers:\n", good, good)),
              testing::StartsWith(":8:8: north is listed twice"));
  EXPECT_THAT(Faults(absl::StrCat("  trusted_peers:\n", good)),
              HasSubstr("'trusted_peers' allows no study: 1 listed"));
  EXPECT_THAT(Faults("  minimum_trusted: 2\n"),
              testing::StartsWith(":6:3: 'minimum_trusted' needs"));
  EXPECT_THAT(Faults("  largest_share: 1.5\n"),
              testing::StartsWith(":6:3: 'largest_share' must be"));
}

}  // namespace
}  // namespace hilum
