// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/phantom_set.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

TEST(PhantomSetTest, PatientsKeepTheirSiteAndLabelAndEverySiteHasEveryLabel) {
  std::map<uint64_t, std::pair<int, std::string>> patients;
  std::map<int, std::set<std::string>> labels;
  std::set<std::pair<uint64_t, uint64_t>> films;
  const auto cases = PlanPhantomSet({.count = 90, .seed = 2});
  EXPECT_EQ(cases.size(), 90u);
  for (const PhantomCase& one : cases) {
    const std::pair<int, std::string> who(one.site, one.label);
    EXPECT_EQ(patients.emplace(one.patient, who).first->second, who);
    EXPECT_TRUE(films.emplace(one.patient, one.exposure).second);
    labels[one.site].insert(one.label);
  }
  ASSERT_EQ(labels.size(), 3u);
  for (const auto& [site, seen] : labels) EXPECT_EQ(seen.size(), 4u) << site;
  EXPECT_LT(patients.size(), cases.size());
}

TEST(PhantomSetTest, NumberOfThreadsDoesNotChangeAByte) {
  const std::string root =
      absl::StrCat(testing::TempDir(), "/phantoms-", getpid());
  const std::string one = absl::StrCat(root, "/one");
  const std::string three = absl::StrCat(root, "/three");
  ASSERT_TRUE(
      WritePhantomSet({.count = 7, .size = 64, .threads = 1}, one, nullptr)
          .ok());
  ASSERT_TRUE(
      WritePhantomSet({.count = 7, .size = 64, .threads = 3}, three, nullptr)
          .ok());
  for (const char* name : {"manifest.csv", "images/00001.png",
                           "images/00007.png", "masks/00004.png"}) {
    const auto left = ReadFile(absl::StrCat(one, "/", name));
    const auto right = ReadFile(absl::StrCat(three, "/", name));
    ASSERT_TRUE(left.ok()) << left.status();
    ASSERT_TRUE(right.ok()) << right.status();
    EXPECT_EQ(*left, *right) << name;
  }
  std::filesystem::remove_all(root);
}

TEST(PhantomSetTest, UnwritableFolderIsNamed) {
  const absl::Status status =
      WritePhantomSet({.count = 1}, "/proc/nowhere", nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string(status.message()).find("/proc/nowhere"),
            std::string::npos)
      << status;
}

}  // namespace
}  // namespace hilum
