// SPDX-License-Identifier: Apache-2.0
// A site that is shown openings and sums that differ from what the sites gave,
// or that do not follow from one another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/crypto/sha256.h"
#include "common/secagg/chain.h"
#include "common/secagg/vector_checksum.h"
#include "tests/site_agent/gateway/followed_study.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using Opening = v1::SumOpening;

// Adds to one little-endian word of a sum file, and so to the sum that is
// opened.
void AddToWord(std::string& sum_file, size_t word, uint32_t more) {
  std::vector<uint32_t> words = WordsOf(sum_file);
  words[word] += more;
  sum_file.assign(reinterpret_cast<const char*>(words.data()), sum_file.size());
}

class StudyFollowerOpeningsTest : public FollowedStudyTest {
 protected:
  StudyFollowerOpeningsTest() {
    MakeSum(0);
    EXPECT_TRUE(Follow(1).ok());
    EXPECT_TRUE(CheckRoster(Roster()).ok());
  }

  // Expects that the changed last opening is refused and the site's state
  // stays.
  void ExpectRefused(uint32_t round,
                     const std::function<void(Opening&)>& change,
                     const std::string& why) {
    const std::string before = follower_->chain().SerializeAsString();
    Opening opening = sums_->last();
    change(opening);
    ExpectUntrusted(FollowShown(round, opening), why);
    EXPECT_EQ(follower_->chain().SerializeAsString(), before);
    Restart();
    EXPECT_TRUE(follower_->Start(TaskOf(round, *sums_).header()).ok());
    EXPECT_EQ(follower_->chain().SerializeAsString(), before);
  }
};

TEST_F(StudyFollowerOpeningsTest, TaskWithoutAnOpeningIsRefused) {
  v1::Task task = TaskOf(1, *sums_);
  task.clear_last_opening();
  ExpectUntrusted(Follow(task), "without opening the one before it");
}

TEST_F(StudyFollowerOpeningsTest, BytesThatAreNoOpeningAreRefused) {
  v1::Task task = TaskOf(1, *sums_);
  *task.mutable_last_opening() = PutBlob(blobs_, std::string(50, '\xff'));
  ExpectUntrusted(Follow(task), "cannot be read");
}

TEST_F(StudyFollowerOpeningsTest, OpeningThatTooFewSitesSignedIsRefused) {
  MakeSum(1);
  ExpectRefused(
      2,
      [](Opening& opening) {
        opening.mutable_confirmations()->mutable_entries()->DeleteSubrange(2,
                                                                           2);
      },
      "has 2 confirmations, of at least 3");
  ExpectRefused(
      2,
      [](Opening& opening) {
        auto& entries = *opening.mutable_confirmations()->mutable_entries();
        entries[0].set_signature(entries[1].signature());
      },
      "is of a list that a has not confirmed");
  ExpectRefused(
      2,
      [](Opening& opening) {
        opening.mutable_survivors()->DeleteSubrange(2, 2);
      },
      "is of 2 sites, of at least 3");
}

TEST_F(StudyFollowerOpeningsTest, OpeningOfAnotherQuestionIsRefused) {
  MakeSum(1);
  const std::vector<std::function<void(Opening&)>> changes = {
      [](Opening& opening) { opening.set_round(2); },
      [](Opening& opening) { opening.set_kind(v1::Task::EVALUATE); },
      [](Opening& opening) {
        opening.mutable_before()->set_model_sha256(std::string(32, 'm'));
      },
      [](Opening& opening) { opening.mutable_before()->set_without_gain(1); },
      [](Opening& opening) { opening.clear_before(); }};
  for (const auto& change : changes) {
    ExpectRefused(2, change, "did not sign for it");
  }
}

TEST_F(StudyFollowerOpeningsTest, OwnMaskThatIsAnotherIsRefused) {
  MakeSum(1);
  ExpectRefused(
      2,
      [](Opening& opening) {
        opening.mutable_survivors(1)->set_self_mask(std::string(32, 'm'));
      },
      "an own mask of b that it did not commit to");
}

TEST_F(StudyFollowerOpeningsTest, StateThatDoesNotFollowIsRefused) {
  MakeSum(1);
  const std::vector<std::function<void(v1::StudyChain&)>> changes = {
      [](v1::StudyChain& after) {
        after.set_model_sha256(std::string(32, 'm'));
      },
      [](v1::StudyChain& after) { after.set_previous(std::string(32, 'p')); },
      [](v1::StudyChain& after) {
        after.set_census_sha256(std::string(32, 'c'));
      },
      [](v1::StudyChain& after) { after.set_tried(true); },
      [](v1::StudyChain& after) { after.set_round(2); }};
  for (const auto& change : changes) {
    ExpectRefused(
        2, [&](Opening& opening) { change(*opening.mutable_after()); },
        "does not follow from the last one and the sum of round 1");
  }
}

// --- What the coordinator publishes is not the sum of what sites gave.

TEST_F(StudyFollowerOpeningsTest, ForgedSumIsFoundByTheChecksums) {
  sums_->forge = [](std::string& file) { AddToWord(file, 77, 1 << 20); };
  MakeSum(1);
  // The next model follows from the forged sum.
  ASSERT_TRUE(Follow(2).ok());
  ExpectAtTheSame();
  ExpectUntrusted(CheckRoster(Roster()),
                  "published as the sum of round 1 is not the sum of what");
  Restart();
  ASSERT_TRUE(Follow(2).ok());
  ExpectUntrusted(CheckRoster(Roster()), "is not the sum of what");
}

// A failed task must not make the site forget which sum is still to be checked.
TEST_F(StudyFollowerOpeningsTest, FailedTaskDoesNotMakeAForgedSumPass) {
  sums_->forge = [](std::string& file) { AddToWord(file, 77, 1 << 20); };
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  v1::Task nothing = TaskOf(2, *sums_);
  nothing.mutable_last_opening()->set_sha256(std::string(32, 'x'));
  nothing.mutable_last_opening()->set_size(100);
  EXPECT_EQ(Follow(nothing).code(), absl::StatusCode::kNotFound);
  ExpectUntrusted(CheckRoster(Roster()), "is not the sum of what");
}

TEST_F(StudyFollowerOpeningsTest, UncheckedSumIsNotPassedOverAfterARestart) {
  sums_->forge = [](std::string& file) { AddToWord(file, 77, 1 << 20); };
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  Restart();
  ASSERT_TRUE(follower_->Start(TaskOf(2, *sums_).header()).ok());
  const absl::Status unchecked = CheckRoster(Roster());
  EXPECT_EQ(unchecked.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unchecked.message()), HasSubstr("is not checked"));
}

TEST_F(StudyFollowerOpeningsTest, ForgedCarryIsFoundByTheChecksums) {
  const auto first = static_cast<size_t>(LayoutOf(study_).num_bytes());
  sums_->forge = [first](std::string& file) { file[first] ^= 0x01; };
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  ExpectUntrusted(CheckRoster(Roster()),
                  "published as the sum of round 1 is not the sum of what");
}

TEST_F(StudyFollowerOpeningsTest, SumThatNoVectorsHaveIsRefusedWhenFollowed) {
  sums_->forge = [](std::string& file) { file.back() = '\xff'; };
  MakeSum(1);
  ExpectUntrusted(Follow(2), "behind its last carry");
}

TEST_F(StudyFollowerOpeningsTest, ForgedCensusIsFoundByTheChecksums) {
  Open(study_);
  // One case more in the first cell, with its side, changes the cohort's N.
  const size_t cells = 4, without_mask = 1, grays = 64, side = 2;
  sums_->forge = [&](std::string& file) {
    AddToWord(file, 0, 1);
    AddToWord(file, 2 * cells + without_mask + grays + side, 1);
  };
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  EXPECT_EQ(follower_->cohort().arms(0).fold_class_counts(0), 41u);
  ExpectUntrusted(CheckRoster(Roster()),
                  "published as the sum of round 0 is not the sum of what");
}

TEST_F(StudyFollowerOpeningsTest, ChecksumThatIsNoneOrAnothersIsRefused) {
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  for (const std::string& checksum :
       {std::string(kVectorChecksumSize, '\xff'), std::string(5, 'x'),
        sums_->ChecksumOf(SiteId("a"))}) {
    v1::Roster roster = Roster();
    roster.mutable_entries(2)->mutable_keys()->set_checksum(checksum);
    EXPECT_EQ(CheckRoster(roster).code(), absl::StatusCode::kPermissionDenied);
  }
  EXPECT_TRUE(CheckRoster(Roster()).ok());
}

TEST_F(StudyFollowerOpeningsTest, VectorOfAnAbsentSurvivorIsFetchedAndChecked) {
  MakeSum(1);
  const v1::BlobRef vector = sums_->last().survivors(3).vector();
  const auto without_d = [&] {
    v1::Roster roster = Roster();
    roster.mutable_entries()->RemoveLast();
    return roster;
  };
  hidden_ = {vector.sha256()};
  ASSERT_TRUE(Follow(2).ok());
  // The vector is withheld: that proves nothing.
  EXPECT_EQ(CheckRoster(without_d()).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(WasFetched(vector.sha256()));
  // The coordinator has other bytes in its place.
  hidden_.clear();
  const std::string good = blobs_.at(vector.sha256());
  blobs_[vector.sha256()].back() ^= 1;
  EXPECT_EQ(CheckRoster(without_d()).code(), absl::StatusCode::kDataLoss);
  blobs_[vector.sha256()] = good;
  EXPECT_TRUE(CheckRoster(without_d()).ok());
}

TEST_F(StudyFollowerOpeningsTest, ForgedSumIsFoundByAFetchedVectorToo) {
  sums_->forge = [](std::string& file) { AddToWord(file, 3, 9); };
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  ExpectUntrusted(CheckRoster(v1::Roster()), "is not the sum of what");
  for (const auto& survivor : sums_->last().survivors()) {
    EXPECT_TRUE(WasFetched(survivor.vector().sha256()));
  }
}

// A vector's length is not signed.
TEST_F(StudyFollowerOpeningsTest, VectorOfAnotherLengthIsNotFetched) {
  MakeSum(1);
  Opening opening = sums_->last();
  opening.mutable_survivors(3)->mutable_vector()->set_size(uint64_t{1} << 40);
  ASSERT_TRUE(FollowShown(2, opening).ok());
  v1::Roster roster = Roster();
  roster.mutable_entries()->RemoveLast();
  ExpectUntrusted(CheckRoster(roster), "the vector of d in another length");
}

// --- The sum from which a site goes on.

TEST_F(StudyFollowerOpeningsTest, GoingBackToAnEarlierSumIsRefused) {
  const Opening census = sums_->last();
  MakeSum(1);
  const Opening first = sums_->last();
  ASSERT_TRUE(Follow(2).ok());
  MakeSum(2);
  ASSERT_TRUE(Follow(3).ok());
  for (const Opening& earlier : {census, first}) {
    ExpectUntrusted(FollowShown(3, earlier), "goes back to a sum");
  }
  Restart();
  ExpectUntrusted(FollowShown(3, first), "goes back to a sum");
  ASSERT_TRUE(Follow(3).ok());
  ExpectAtTheSame();
}

TEST_F(StudyFollowerOpeningsTest,
       SiteThatWasAwayGoesOnFromWhatTheOthersSigned) {
  MakeSum(1, *sums_, {}, {SiteId("a")});
  MakeSum(2, *sums_, {}, {SiteId("a")});
  ExpectRefused(
      3,
      [](Opening& opening) {
        opening.mutable_confirmations()->mutable_entries()->RemoveLast();
      },
      "has 2 confirmations, of at least 3");
  ExpectRefused(
      3,
      [](Opening& opening) {
        opening.mutable_after()->set_census_sha256(std::string(32, 'c'));
      },
      "does not follow from what the last sum began from");
  ExpectRefused(
      3,
      [](Opening& opening) {
        opening.mutable_after()->set_previous(std::string(32, 'p'));
      },
      "does not follow from what the last sum began from");
  ExpectRefused(
      3,
      [](Opening& opening) {
        opening.mutable_after()->set_statement(std::string(32, 's'));
      },
      "shows another sum of round 2");
  ASSERT_TRUE(Follow(3).ok());
  ExpectAtTheSame();
  EXPECT_EQ(follower_->checksum(), "");
  // The sites that took part in the last sum check it.
  EXPECT_TRUE(CheckRoster(v1::Roster()).ok());
  EXPECT_FALSE(WasFetched(sums_->last().sum().sha256()));
  MakeSum(3);
  ASSERT_TRUE(Follow(4).ok());
  ExpectAtTheSame();
  EXPECT_EQ(follower_->checksum(), sums_->ChecksumOf(SiteId("a")));
}

// The site must take the model on the coordinator's word, but the other sites'
// questions name another model.
TEST_F(StudyFollowerOpeningsTest, ModelToldToASiteThatWasAwayIsInItsQuestion) {
  MakeSum(1, *sums_, {}, {SiteId("a")});
  MakeSum(2, *sums_, {}, {SiteId("a")});
  Opening opening = sums_->last();
  opening.mutable_after()->set_model_sha256(std::string(32, 'm'));
  ASSERT_TRUE(FollowShown(3, opening).ok());
  const v1::Task task = TaskOf(3, *sums_);
  EXPECT_NE(follower_->ContextOf(task).question,
            sums_->ContextOf(task).question);
}

TEST_F(StudyFollowerOpeningsTest, SiteThatWasInTheSumIsNotToldThatItWasAway) {
  MakeSum(1);
  MakeSum(2);
  ExpectRefused(
      3, [](Opening&) {},
      "with this site in it that does not begin where this site stood");
}

// Another attempt at the same question has other survivors and valid
// signatures.
TEST_F(StudyFollowerOpeningsTest,
       OpeningOfAnotherSumThanTheStateIsOfIsRefused) {
  PublishedSums other = *sums_;
  MakeSum(1, other, {SiteId("d")});
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  Opening opening = other.last();
  *opening.mutable_after() = sums_->chain();
  ExpectUntrusted(FollowShown(2, opening), "shows another sum of round 1");
  // The other sum is refused also with its own state.
  ExpectUntrusted(FollowShown(2, other.last()), "goes back to a sum");
  ASSERT_TRUE(Follow(2).ok());
  ExpectAtTheSame();
}

}  // namespace
}  // namespace hilum
