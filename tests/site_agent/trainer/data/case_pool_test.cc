// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/imaging/pictures/write_png.h"

namespace hilum {
namespace {

constexpr int kFolds = 3;
constexpr int kCases = 24;  // of each site

class CasePoolTest : public testing::Test {
 protected:
  CasePoolTest()
      : folder_(absl::StrCat(testing::TempDir(), "/pool-", getpid())) {
    std::filesystem::create_directories(folder_);
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    study_.add_arms(v1::ARM_WHOLE);
    study_.mutable_cross_validation()->set_folds(kFolds);
    study_.mutable_model()->set_input_size(32);
  }
  ~CasePoolTest() override { std::filesystem::remove_all(folder_); }

  // Writes a manifest of patients NAME-0 ... and, if `shared`, of patients who
  // were at the other site too.
  CaseSource MakeSource(const std::string& name, char key, bool shared) {
    std::string rows = "file,label,patient_id\n";
    for (int i = 0; i < kCases; ++i) {
      std::vector<uint8_t> pixels(32 * 32);
      for (size_t p = 0; p < pixels.size(); ++p) {
        pixels[p] = static_cast<uint8_t>(p / 4 + i * 7 + key);
      }
      const std::string file = absl::StrCat(name, "-", i, ".png");
      EXPECT_TRUE(WriteFileAtomically(absl::StrCat(folder_, "/", file),
                                      *EncodePng8(32, 32, pixels))
                      .ok());
      absl::StrAppend(&rows, file, ",", i % 3 == 0 ? "sick" : "well", ",",
                      shared ? "both" : name, "-", i / 2, "\n");
    }
    const std::string manifest = absl::StrCat(folder_, "/", name, ".csv");
    EXPECT_TRUE(WriteFileAtomically(manifest, rows).ok());
    return {.manifest = manifest,
            .site = name,
            .patient_key = std::string(32, key)};
  }

  CasePool Load(const std::vector<CaseSource>& sources) {
    auto pool = LoadCasePool(sources, study_, 1);
    EXPECT_TRUE(pool.ok()) << pool.status();
    return *std::move(pool);
  }

  const std::string folder_;
  v1::Study study_;
};

using Held = std::set<std::pair<std::string, int>>;

Held HeldOut(const CasePool& pool) {
  Held held;
  for (size_t i = 0; i < pool.folds.size(); ++i) {
    held.emplace(pool.data.manifest.cases[i].file, pool.folds[i]);
  }
  return held;
}

TEST_F(CasePoolTest, FoldKOfThePoolIsTheUnionOfTheSitesFoldK) {
  const CaseSource a = MakeSource("a", 'k', false);
  const CaseSource b = MakeSource("b", 'q', false);
  Held sites = HeldOut(Load({a}));
  sites.merge(HeldOut(Load({b})));
  EXPECT_EQ(sites.size(), 2u * kCases);
  EXPECT_EQ(HeldOut(Load({a, b})), sites);
  // Dealing the pool anew, or with one key for both sites, would change this.
  EXPECT_NE(HeldOut(Load({a, {b.manifest, "", "b", a.patient_key}})), sites);
}

TEST_F(CasePoolTest, NobodyIsTrainedOnWhereAnyOfTheirCasesIsHeldOut) {
  for (const bool shared : {false, true}) {
    const CasePool pool =
        Load({MakeSource("a", 'k', shared), MakeSource("b", 'q', shared)});
    size_t trained_on = 0;
    for (int fold = 0; fold < kFolds; ++fold) {
      std::set<std::string> held_out, trained;
      for (size_t i = 0; i < pool.folds.size(); ++i) {
        const std::string& patient = pool.data.manifest.cases[i].patient_id;
        if (pool.folds[i] == fold) held_out.insert(patient);
        if (!pool.TrainsOn(i, fold)) continue;
        trained.insert(patient);
        ++trained_on;
      }
      for (const std::string& patient : held_out) {
        EXPECT_EQ(trained.count(patient), 0u) << patient << ", fold " << fold;
      }
    }
    // The other folds' tracks train on a patient who was at one site only.
    EXPECT_EQ(trained_on == 2u * kCases * (kFolds - 1), !shared) << trained_on;
  }
}

TEST_F(CasePoolTest, TheFinalTrackTrainsOnEveryCase) {
  const CasePool pool =
      Load({MakeSource("a", 'k', true), MakeSource("b", 'q', true)});
  for (size_t i = 0; i < pool.folds.size(); ++i) {
    EXPECT_TRUE(pool.TrainsOn(i, -1));
  }
}

TEST_F(CasePoolTest, ASitesRowsAreRejectedAsIfItWereAlone) {
  const CaseSource a = MakeSource("a", 'k', false);
  // The same images as in a, under another patient: each site checks only its
  // own cases.
  CaseSource b = a;
  b.manifest = absl::StrCat(folder_, "/copy.csv");
  ASSERT_TRUE(WriteFileAtomically(b.manifest,
                                  "file,label,patient_id\na-0.png,well,x\n"
                                  "none.png,well,y\n")
                  .ok());
  const CasePool pool = Load({a, b});
  EXPECT_EQ(pool.folds.size(), kCases + 1u);
  EXPECT_EQ(pool.data.whole.size(), kCases + 1u);
  EXPECT_EQ(pool.data.manifest.rows, kCases + 2);
  ASSERT_EQ(pool.data.manifest.rejected.size(), 1u);
  EXPECT_EQ(pool.data.manifest.rejected[0].file, "none.png");
}

}  // namespace
}  // namespace hilum
