// SPDX-License-Identifier: Apache-2.0
// A site at work on a study with secure aggregation that follows the study's
// sums, with an honest coordinator and with one that shows other sums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/sums_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

void AddToWord(std::string& sum_file, size_t word, uint32_t more) {
  std::vector<uint32_t> words = WordsOf(sum_file);
  words[word] += more;
  sum_file.assign(reinterpret_cast<const char*>(words.data()), sum_file.size());
}

class SessionFollowTest : public testing::Test {
 protected:
  // Expects that the study was refused for good, that the reason is in the
  // ledger, and that `vectors` masked vectors have left.
  void ExpectStudyOver(const std::string& why, int vectors) {
    EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
                ElementsAre(HasSubstr(why)));
    EXPECT_TRUE(at_work_.IsRefused());
    EXPECT_EQ(at_work_.VectorsGiven(), vectors);
    ASSERT_FALSE(at_work_.site.coordinator.steps.empty());
    EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
  }
  // Shows the site the last opening of the round, changed.
  void ShowChanged(uint32_t round,
                   const std::function<void(v1::SumOpening&)>& change) {
    at_work_.sums.tamper = [this, round, change](v1::Task& task) {
      if (task.header().round() != round) return;
      v1::SumOpening opening = at_work_.sums.published.last();
      change(opening);
      *task.mutable_last_opening() = at_work_.sums.published.Put(opening);
    };
  }
  void Add(uint32_t round, SumsOfFour::Attempt attempt = {}) {
    attempt.task = at_work_.MakeTraining(round);
    attempt.id = static_cast<char>('0' + round);
    at_work_.sums.attempts.push_back(attempt);
  }
  void AddCensus() {
    at_work_.AskForCensus();
    at_work_.sums.attempts.push_back(
        {at_work_.MakeTask(v1::Task::PREPARE), 'c'});
  }

  SecureSiteAtWork at_work_;
};

TEST_F(SessionFollowTest, SiteFollowsAllSumsOfAStudy) {
  AddCensus();
  for (uint32_t round = 1; round <= 3; ++round) Add(round);
  at_work_.sums.attempts.push_back(
      {at_work_.MakeTask(v1::Task::EVALUATE), 'e'});
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(5)) << at_work_.log;
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED), IsEmpty());
  // The keys of each round have the checksum of the round before.
  std::vector<size_t> checksums;
  for (const auto& said : at_work_.site.coordinator.steps) {
    if (said.has_keys()) checksums.push_back(said.keys().checksum().size());
  }
  EXPECT_THAT(checksums, ElementsAre(0, 16, 16, 16, 16));
  // The site worked out each round's model itself and fetched none.
  EXPECT_FALSE(at_work_.site.coordinator.WasFetched(
      at_work_.sums.published.chain().model_sha256()));
}

TEST_F(SessionFollowTest, SiteThatIsStartedAnewAfterEachSumFollowsToo) {
  AddCensus();
  ASSERT_TRUE(at_work_.site.Run().ok());
  for (uint32_t round = 1; round <= 3; ++round) {
    Add(round);
    ASSERT_TRUE(at_work_.site.Run().ok());
  }
  EXPECT_THAT(at_work_.sums.read, SizeIs(4)) << at_work_.log;
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED), IsEmpty());
}

TEST_F(SessionFollowTest, SiteThatWasAwayComesBack) {
  AddCensus();
  Add(1);
  Add(2, {.without_site = true});
  Add(3, {.without_site = true});
  Add(4);
  Add(5);
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.sums.read, SizeIs(4)) << at_work_.log;
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED), IsEmpty());
}

TEST_F(SessionFollowTest, OtherStartingWeightsEndTheStudy) {
  at_work_.site.coordinator.blobs[at_work_.site.study.initial_weights_sha256()]
      .back() ^= 1;
  at_work_.AskForCensus();
  ASSERT_TRUE(at_work_.site.Run().ok());
  ExpectOnlyUnableLeft(at_work_.site.coordinator);
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("are not those of the approved study")));
  EXPECT_TRUE(at_work_.IsRefused());
}

TEST_F(SessionFollowTest, ForgedSumIsFoundBeforeTheNextVectorLeaves) {
  AddCensus();
  ASSERT_TRUE(at_work_.site.Run().ok());
  at_work_.sums.published.forge = [](std::string& file) {
    AddToWord(file, 100, 1 << 20);
  };
  Add(1);
  Add(2);
  ASSERT_TRUE(at_work_.site.Run().ok());
  // All sites see the same forged sum and are asked the same question, so this
  // site gives keys in the next round, and nothing more.
  ExpectStudyOver("is not the sum of what its sites sent", 2);
  EXPECT_FALSE(at_work_.sums.read.empty());
}

TEST_F(SessionFollowTest, ForgedCensusIsFoundBeforeAnUpdateLeaves) {
  // One case more in the first cell, with its side.
  at_work_.sums.published.forge = [](std::string& file) {
    AddToWord(file, 0, 1);
    AddToWord(file, 4 + 4 + 1 + 64 + 2, 1);
  };
  AddCensus();
  Add(1);
  ASSERT_TRUE(at_work_.site.Run().ok());
  ExpectStudyOver("the sum of round 0 is not the sum of what its sites sent",
                  1);
}

TEST_F(SessionFollowTest, StateThatDoesNotFollowEndsTheStudy) {
  AddCensus();
  Add(1);
  Add(2);
  ShowChanged(2, [](v1::SumOpening& opening) {
    opening.mutable_after()->set_model_sha256(std::string(32, 'm'));
  });
  ASSERT_TRUE(at_work_.site.Run().ok());
  ExpectStudyOver("does not follow from the last one and the sum of round 1",
                  2);
  EXPECT_EQ(at_work_.site.trainer.times_trained, 1);
}

TEST_F(SessionFollowTest, OpeningThatTooFewSignedEndsTheStudy) {
  AddCensus();
  Add(1);
  ShowChanged(1, [](v1::SumOpening& opening) {
    opening.mutable_confirmations()->mutable_entries()->DeleteSubrange(2, 2);
  });
  at_work_.sums.tamper = [this, show = at_work_.sums.tamper](v1::Task& task) {
    show(task);
    if (task.kind() != v1::Task::TRAIN) return;
    *task.mutable_census_opening() = task.last_opening();
  };
  ASSERT_TRUE(at_work_.site.Run().ok());
  ExpectStudyOver("has 2 confirmations, of at least 3", 1);
}

TEST_F(SessionFollowTest, AnotherModelThanFollowsEndsTheStudy) {
  AddCensus();
  Add(1);
  at_work_.sums.tamper = [](v1::Task& task) {
    if (task.kind() != v1::Task::TRAIN) return;
    task.mutable_global()->set_sha256(std::string(32, 'g'));
  };
  ASSERT_TRUE(at_work_.site.Run().ok());
  ExpectStudyOver("names another model for round 1", 1);
  EXPECT_EQ(at_work_.site.trainer.times_trained, 0);
}

TEST_F(SessionFollowTest, DamagedStateIsNamedAndTheSumIsLeft) {
  AddCensus();
  Add(1);
  ASSERT_TRUE(at_work_.site.Run().ok());
  const std::string path = absl::StrCat(at_work_.site.state_dir, "/studies/",
                                        ToHex(at_work_.site.hash), ".chain");
  std::string bytes = ReadFile(path).value();
  bytes.back() ^= 1;
  ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  Add(2);
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr(path)));
  EXPECT_FALSE(at_work_.IsRefused());
  EXPECT_EQ(at_work_.VectorsGiven(), 2);
}

// --- One model, one list of survivors.

TEST_F(SessionFollowTest, ModelOfALostSumIsNotSummedOverOtherSites) {
  Add(1, {.unmask_is_lost = true});
  Add(2, {.lost_peers = {SiteId("d")}});
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("two sums about one model")));
  EXPECT_TRUE(at_work_.site.coordinator.steps.back().leave());
  EXPECT_THAT(at_work_.sums.read, IsEmpty());
  EXPECT_FALSE(at_work_.IsRefused());  // it may be bad luck
}

TEST_F(SessionFollowTest, ModelOfALostSumIsSummedOverTheSameSites) {
  Add(1, {.unmask_is_lost = true});
  Add(2);
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED), IsEmpty());
  EXPECT_THAT(at_work_.sums.read, SizeIs(1)) << at_work_.log;
}

TEST_F(SessionFollowTest, NextModelIsSummedOverOtherSites) {
  Add(1);
  Add(2, {.lost_peers = {SiteId("d")}});
  ASSERT_TRUE(at_work_.site.Run().ok());
  EXPECT_THAT(at_work_.Details(v1::LedgerEntry::SUM_REFUSED), IsEmpty());
  EXPECT_THAT(at_work_.sums.read, SizeIs(2)) << at_work_.log;
}

}  // namespace
}  // namespace hilum
