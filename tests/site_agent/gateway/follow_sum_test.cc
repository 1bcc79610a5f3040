// SPDX-License-Identifier: Apache-2.0
// Tests what a site works out from a sum that the coordinator opens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/fed_avg.h"
#include "common/base/file.h"
#include "common/config/cohort_rules.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "site_agent/gateway/study_follower.h"
#include "site_agent/gateway/update_file.h"
#include "tests/site_agent/gateway/followed_study.h"

namespace hilum {
namespace {

using Opening = v1::SumOpening;

// Adds to one little-endian word of a sum file, as to the sum that it opens.
void AddToWord(std::string& sum_file, size_t word, uint32_t more) {
  std::vector<uint32_t> words = WordsOf(sum_file);
  words[word] += more;
  sum_file.assign(reinterpret_cast<const char*>(words.data()), sum_file.size());
}

class FollowSumTest : public FollowedStudyTest {
 protected:
  // The next global of `global` by these sites' vectors, without any mask.
  std::string PlainModel(const std::string& global,
                         const std::set<SiteId>& sites) {
    AggregateOptions options{
        .layout = LayoutOf(study_),
        .fraction_bits = FractionBits(study_.aggregation().clipping_norm()),
        .total_examples = TrackExamples(study_, sums_->cohort()),
        .global_path = folder_ + "/plain-global",
        .output_path = folder_ + "/plain-next",
        .durability = Durability::kNone};
    EXPECT_TRUE(WriteFileAtomically(options.global_path, global).ok());
    for (const SiteId& site : sites) {
      const std::string path = absl::StrCat(folder_, "/plain-", site.name());
      EXPECT_TRUE(WriteVector(path, PlainOf(site)).ok());
      options.updates.push_back({.site = site.name(), .path = path});
    }
    EXPECT_TRUE(AggregateUpdates(options).ok());
    return ReadFile(options.output_path).value();
  }
};

TEST_F(FollowSumTest, CohortIsReadOffTheSumOfTheCensuses) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  ASSERT_TRUE(follower_->HasCohort());
  EXPECT_EQ(follower_->cohort().SerializeAsString(),
            sums_->cohort().SerializeAsString());
  EXPECT_EQ(follower_->cohort().rows(), 160u);
  ExpectAtTheSame();
}

// It is in no count by which the cohort is judged.
TEST_F(FollowSumTest, SiteThatTheCensusLeftOutIsOut) {
  MakeSum(0, *sums_, {SiteId("a")});
  const absl::Status out = Follow(1);
  ExpectUntrusted(out, "census leaves out this site");
  EXPECT_FALSE(follower_->HasCohort());
}

TEST_F(FollowSumTest, ModelOfEachRoundIsThatOfThePlainVectors) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  std::string model = StartingModel(study_);
  const std::set<SiteId> all = {SiteId("a"), SiteId("b"), SiteId("c"),
                                SiteId("d")};
  for (uint32_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(CheckRoster(Roster()).ok());
    std::set<SiteId> lost;
    if (round == 2) lost.insert(SiteId("d"));
    MakeSum(round, *sums_, lost);
    std::set<SiteId> in = all;
    for (const SiteId& site : lost) in.erase(site);
    const std::string next = PlainModel(model, in);
    EXPECT_TRUE(next != model);
    model = next;
    hidden_.insert(Sha256Of(model));  // the site has it without being told
    const absl::Status followed = Follow(round + 1);
    ASSERT_TRUE(followed.ok()) << followed;
    EXPECT_EQ(follower_->chain().model_sha256(), Sha256Of(model));
    ExpectAtTheSame();
  }
}

TEST_F(FollowSumTest, CensusThatDoesNotFollowIsRefused) {
  Open(study_);
  MakeSum(0);
  const Opening good = sums_->last();
  const auto expect = [&](const std::function<void(Opening&)>& change,
                          const std::string& why) {
    Opening opening = good;
    change(opening);
    v1::Task task = TaskOf(1, *sums_);
    *task.mutable_census_opening() = *task.mutable_last_opening() =
        sums_->Put(opening);
    ExpectUntrusted(Follow(task), why);
    EXPECT_FALSE(follower_->HasCohort());
  };
  expect(
      [](Opening& opening) {
        opening.mutable_after()->set_census_sha256(std::string(32, 'c'));
      },
      "is not the sum that it opens");
  // Other words than those that the state after it was worked out from.
  expect(
      [&](Opening& opening) {
        std::string file = blobs_.at(opening.sum().sha256());
        AddToWord(file, 0, 1);
        *opening.mutable_sum() = PutBlob(blobs_, file);
      },
      "");
  // A sum of updates in the place of the censuses.
  EXPECT_TRUE(Follow(1).ok());
  MakeSum(1);
  const Opening update = sums_->last();
  Restart();
  ASSERT_EQ(remove(state_path_.c_str()), 0);
  expect([&](Opening& opening) { opening = update; },
         "does not begin at the approved starting weights");
}

TEST_F(FollowSumTest, SumOfAnotherLengthThanItsVectorsIsRefused) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  ASSERT_TRUE(CheckRoster(Roster()).ok());
  MakeSum(1);
  const std::string before = follower_->chain().SerializeAsString();
  Opening opening = sums_->last();
  opening.mutable_sum()->set_size(40);
  ExpectUntrusted(FollowShown(2, opening), "has 40 bytes, not ");
  EXPECT_EQ(follower_->chain().SerializeAsString(), before);
}

}  // namespace
}  // namespace hilum
