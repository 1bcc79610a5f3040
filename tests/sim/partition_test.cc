// SPDX-License-Identifier: Apache-2.0
#include "sim/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

// 60 patients of two films each, two labels, sites x and y.
CaseTable Cases() {
  CaseTable table;
  table.header = {"file", "label", "patient_id", "site"};
  for (int i = 0; i < 120; ++i) {
    const int patient = i % 60;
    table.rows.push_back(
        {absl::StrCat(i, ".png"), patient % 3 == 0 ? "normal" : "viral",
         absl::StrCat("p", patient), patient % 2 == 0 ? "x" : "y"});
  }
  return table;
}

std::map<std::string, std::vector<int>> Deal(const std::string& partition,
                                             int sites, uint64_t seed) {
  const auto deal =
      DealCases(Cases(), {.partition = ParsePartition(partition).value(),
                          .sites = sites,
                          .seed = seed});
  EXPECT_TRUE(deal.ok()) << deal.status();
  return deal.ok() ? *deal : std::map<std::string, std::vector<int>>();
}

TEST(PartitionTest, EveryCaseIsDealtOnceAndNoPatientIsSplit) {
  const CaseTable table = Cases();
  for (const char* partition : {"by_site", "iid", "dirichlet:0.8"}) {
    std::set<int> seen;
    std::map<std::string, std::string> site_of;
    for (const auto& [site, rows] : Deal(partition, 2, 4)) {
      for (int row : rows) {
        EXPECT_TRUE(seen.insert(row).second) << partition;
        EXPECT_EQ(site_of.emplace(table.rows[row][2], site).first->second, site)
            << partition;
      }
    }
    EXPECT_EQ(seen.size(), table.rows.size()) << partition;
  }
}

TEST(PartitionTest, IidGivesEachSiteTheSameMixAndDirichletDoesNot) {
  const CaseTable table = Cases();
  const auto spread = [&](const std::string& partition) {
    size_t least = 1000, most = 0;
    for (const auto& [site, rows] : Deal(partition, 4, 9)) {
      size_t normal = 0;
      for (int row : rows) normal += table.rows[row][1] == "normal";
      least = std::min(least, normal);
      most = std::max(most, normal);
    }
    return most - least;
  };
  EXPECT_EQ(spread("iid"), 0u);
  EXPECT_GT(spread("dirichlet:0.5"), 4u);
}

TEST(PartitionTest, SeedDecidesTheDeal) {
  EXPECT_EQ(Deal("iid", 3, 1), Deal("iid", 3, 1));
  EXPECT_NE(Deal("iid", 3, 1), Deal("iid", 3, 2));
}

TEST(PartitionTest, AnotherNumberOfSitesThanTheManifestNamesIsAnError) {
  const auto deal = DealCases(Cases(), {.sites = 3});
  EXPECT_THAT(std::string(deal.status().message()),
              HasSubstr("names 2 (x, y)"));
}

TEST(PartitionTest, ARowWithoutAUsableSiteIsNamed) {
  CaseTable table = Cases();
  table.rows[4][3] = "St. Mary";
  const auto deal = DealCases(table, {});
  EXPECT_THAT(std::string(deal.status().message()),
              HasSubstr("row 6: site 'St. Mary'"));
}

TEST(PartitionTest, SpecificationsOutsideTheirRangeAreRefused) {
  for (const char* text : {"", "bysite", "dirichlet", "dirichlet:0",
                           "dirichlet:-1", "dirichlet:nan", "iid "}) {
    EXPECT_FALSE(ParsePartition(text).ok()) << text;
  }
  EXPECT_EQ(ParsePartition("dirichlet:0.3")->concentration, 0.3);
}

}  // namespace
}  // namespace hilum
