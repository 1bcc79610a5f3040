// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/seen_cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/starting_weights.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/data/load_case.h"
#include "site_agent/trainer/data/shipped_lists.h"

namespace hilum {
namespace {

using testing::Each;

std::string DigestNumber(int i) {
  return absl::StrCat("digest", i / 10, i % 10);
}

// Cases 2 i and 2 i + 1 are of patient i.
struct Site {
  std::vector<CaseRow> cases;
  std::vector<std::string> digests;
  explicit Site(int patients) {
    for (int i = 0; i < 2 * patients; ++i) {
      CaseRow row;
      row.patient_id = absl::StrCat("p", i / 2);
      cases.push_back(row);
      digests.push_back(DigestNumber(i));
    }
  }
};

// Returns a list with the first image of each of the first patients.
std::string ListOf(int patients) {
  std::vector<std::string> digests;
  for (int i = 0; i < patients; ++i) digests.push_back(DigestNumber(2 * i));
  return JoinDigests(digests);
}

TEST(SeenCasesTest, OneListedImageMakesAllOfItsPatientsCasesSeen) {
  const Site site(12);
  const std::string list = ListOf(10);
  const SeenCases seen = FindSeen(site.cases, site.digests, {list});
  EXPECT_EQ(seen.patients, 10u);
  EXPECT_EQ(seen.cases, 20u);
  EXPECT_EQ(seen.Marked(), 20u);
  for (size_t i = 0; i < site.cases.size(); ++i) {
    EXPECT_EQ(seen.marks[i], i < 20) << i;
  }
}

// The sum would otherwise tell whether one patient is at the site.
TEST(SeenCasesTest, FewerThanTenPatientsAreOnlyForTheSitesOwnLog) {
  const Site site(12);
  const std::string list = ListOf(9);
  const SeenCases seen = FindSeen(site.cases, site.digests, {list});
  EXPECT_EQ(seen.patients, 9u);
  EXPECT_EQ(seen.cases, 18u);
  EXPECT_EQ(seen.Marked(), 0u);
  EXPECT_THAT(seen.marks, Each(false));
}

TEST(SeenCasesTest, SeveralListsAddUpAndAnUnknownImageIsNotFound) {
  Site site(12);
  const std::string one = ListOf(6);
  std::vector<std::string> more;
  for (int i = 6; i < 11; ++i) more.push_back(DigestNumber(2 * i + 1));
  const std::string other = JoinDigests(more);
  EXPECT_EQ(FindSeen(site.cases, site.digests, {one, other}).patients, 11u);
  for (std::string& digest : site.digests) digest.clear();
  EXPECT_EQ(FindSeen(site.cases, site.digests, {one, other}).patients, 0u);
  EXPECT_EQ(FindSeenByTools(site.cases, site.digests, {}).not_compared, 24u);
}

// The files differ; their pixels do not.
TEST(SeenCasesTest, ACopyInAnotherFileHasTheSameDigest) {
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/seen-", getpid());
  ASSERT_TRUE(MakeDirectories(folder).ok());
  std::vector<uint8_t> gray(40 * 50), rgb;
  for (size_t i = 0; i < gray.size(); ++i) {
    gray[i] = static_cast<uint8_t>(i * 7);
    for (int channel = 0; channel < 3; ++channel) rgb.push_back(gray[i]);
  }
  CaseManifest manifest;
  for (const auto& [name, bytes] : {std::pair<const char*, std::string>{
                                        "gray.png", *EncodePng8(40, 50, gray)},
                                    {"rgb.png", *EncodePngRgb8(40, 50, rgb)}}) {
    CaseRow row;
    row.path = absl::StrCat(folder, "/", name);
    ASSERT_TRUE(WriteFileAtomically(row.path, bytes).ok());
    manifest.cases.push_back(row);
  }
  ASSERT_NE(*ReadFile(manifest.cases[0].path),
            *ReadFile(manifest.cases[1].path));
  const CaseLoader loader(manifest);
  LoadedCase loaded[2];
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = loader.Load(
        manifest.cases[static_cast<size_t>(i)], {.size = 32}, loaded[i]);
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(loaded[0].image_digest.size(), kDigestPrefix);
  EXPECT_EQ(loaded[0].image_digest, loaded[1].image_digest);
  std::filesystem::remove_all(folder);
}

TEST(SeenCasesTest, TheProductsOwnNetworksHaveTheirLists) {
  EXPECT_EQ(LungsNetworkImages().size(), 688 * kDigestPrefix);
  EXPECT_EQ(OrientationNetworkImages().size(), 951 * kDigestPrefix);
  Site site(10);
  for (size_t i = 0; i < site.digests.size(); ++i) {
    site.digests[i] = std::string(
        LungsNetworkImages().substr(i * kDigestPrefix, kDigestPrefix));
  }
  const SeenByTools seen = FindSeenByTools(site.cases, site.digests, {});
  EXPECT_EQ(seen.lungs_network, 20u);
  // All of them are in the other list, too.
  EXPECT_EQ(seen.orientation_network, 20u);
  EXPECT_EQ(seen.not_compared, 0u);
  // A study's list of all of these patients but one: the two counts of a census
  // would differ by that patient's cases.
  const std::string list(LungsNetworkImages().substr(0, 18 * kDigestPrefix));
  EXPECT_EQ(FindSeenByTools(site.cases, site.digests, {list}).lungs_network,
            0u);
}

}  // namespace
}  // namespace hilum
