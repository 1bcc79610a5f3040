// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/phantom.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "sim/phantoms/phantom_set.h"

namespace hilum {
namespace {

PhantomRequest Request(const std::string& label, uint64_t patient) {
  return {.seed = 5,
          .patient = patient,
          .exposure = 0,
          .label = label,
          .site = 0,
          .size = 96};
}

double LungMean(const Phantom& phantom) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < phantom.pixels.size(); ++i) {
    if (phantom.mask[i] == 0) continue;
    sum += phantom.pixels[i];
    ++count;
  }
  return sum / count;
}

TEST(PhantomTest, SameRequestGivesTheSamePixels) {
  EXPECT_EQ(DrawPhantom(Request("viral", 3)).pixels,
            DrawPhantom(Request("viral", 3)).pixels);
  EXPECT_NE(DrawPhantom(Request("viral", 3)).pixels,
            DrawPhantom(Request("viral", 4)).pixels);
}

TEST(PhantomTest, LungsAreAPlausibleShareOfTheFilmAndDarkerThanTheRest) {
  for (uint64_t patient = 0; patient < 10; ++patient) {
    const Phantom phantom = DrawPhantom(Request("normal", patient));
    double inside = 0, lung = 0, all = 0;
    for (size_t i = 0; i < phantom.pixels.size(); ++i) {
      inside += phantom.mask[i] != 0;
      lung += phantom.mask[i] != 0 ? phantom.pixels[i] : 0;
      all += phantom.pixels[i];
    }
    EXPECT_GT(inside / phantom.pixels.size(), 0.10);
    EXPECT_LT(inside / phantom.pixels.size(), 0.45);
    EXPECT_LT(lung / inside, all / phantom.pixels.size());
  }
}

// Anatomy and placement do not depend on the label, so all labels have the
// healthy film's mask and differ in the opacity only.
TEST(PhantomTest, FindingsBrightenTheLungsOfTheSamePatient) {
  for (const char* label : {"covid19", "bacterial", "viral"}) {
    double difference = 0;
    for (uint64_t patient = 0; patient < 12; ++patient) {
      difference += LungMean(DrawPhantom(Request(label, patient))) -
                    LungMean(DrawPhantom(Request("normal", patient)));
    }
    EXPECT_GT(difference / 12, 400) << label;
  }
}

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
