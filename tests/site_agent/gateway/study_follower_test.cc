// SPDX-License-Identifier: Apache-2.0
// A site that works out its models from its study's starting weights and sums,
// with an honest coordinator; study_follower_openings_test.cc has the false
// openings.
#include "site_agent/gateway/study_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "common/secagg/vector_checksum.h"
#include "site_agent/gateway/update_file.h"
#include "tests/site_agent/gateway/followed_study.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class StudyFollowerTest : public FollowedStudyTest {
 protected:
  absl::Status Start() {
    return follower_->Start(TaskOf(0, *sums_, v1::Task::PREPARE).header());
  }
};

TEST_F(StudyFollowerTest, StartingWeightsAreSplitAsTheCoordinatorSplitsThem) {
  ASSERT_TRUE(Start().ok());
  ExpectAtTheSame();
  const v1::Header header = TaskOf(1, *sums_).header();
  const SplitWeights split = SplitInitial(StudyLayout(study_).value(),
                                          BlobValues(StartingWeights()).value())
                                 .value();
  EXPECT_TRUE(ReadFile(follower_->FrozenPath(header).value()).value() ==
              BlobBytes(split.frozen));
  EXPECT_FALSE(follower_->HasCohort());
}

TEST_F(StudyFollowerTest, OtherStartingWeightsAreRefused) {
  const std::string good = blobs_[study_.initial_weights_sha256()];
  std::string other = good;
  other[100] ^= 1;
  for (const std::string& weights :
       {other, good + std::string(4, 'x'), good.substr(4)}) {
    blobs_[study_.initial_weights_sha256()] = weights;
    ExpectUntrusted(Start(), "are not those of the approved study");
    EXPECT_FALSE(FileExists(state_path_));
  }
  blobs_[study_.initial_weights_sha256()] = good;
  EXPECT_TRUE(Start().ok());
}

TEST_F(StudyFollowerTest, StartingWeightsThatAreNotFiniteAreRefused) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          -std::numeric_limits<float>::infinity()}) {
    std::string weights = StartingWeights();
    std::memcpy(weights.data() + weights.size() - sizeof bad, &bad, sizeof bad);
    v1::Study study = study_;
    study.set_initial_weights_sha256(Sha256Of(weights));
    Open(study);
    PutBlob(blobs_, weights);
    ExpectUntrusted(Start(), "the study's starting weights");
    EXPECT_FALSE(FileExists(state_path_));
  }
}

// A crash may leave any bytes in a file that had not reached the disk.
TEST_F(StudyFollowerTest, SpoiltHalfOfADownloadDoesNotConvictTheCoordinator) {
  ASSERT_TRUE(WriteFileAtomically(
                  absl::StrCat(folder_, "/cache/",
                               ToHex(study_.initial_weights_sha256()), ".part"),
                  std::string(5000, '\0'))
                  .ok());
  EXPECT_TRUE(Start().ok());
}

TEST_F(StudyFollowerTest, StartThatCouldNotBeWrittenIsMadeAgain) {
  std::filesystem::remove_all(folder_ + "/state");
  EXPECT_FALSE(Start().ok());
  EXPECT_EQ(follower_->chain().ByteSizeLong(), 0u);
  ASSERT_TRUE(MakeDirectories(folder_ + "/state").ok());
  ASSERT_TRUE(Start().ok());
  ExpectAtTheSame();
  Restart();
  hidden_.insert(study_.initial_weights_sha256());
  ASSERT_TRUE(Start().ok());
  ExpectAtTheSame();
}

// A coordinator that could arrange it would choose the next model.
TEST_F(StudyFollowerTest, SurvivorThatLostItsModelIsNotToldTheNext) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  ASSERT_TRUE(CheckRoster(Roster()).ok());
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  ASSERT_TRUE(CheckRoster(Roster()).ok());
  const std::string model = follower_->chain().model_sha256();
  MakeSum(2);
  std::filesystem::remove(absl::StrCat(folder_, "/cache/", ToHex(model)));
  hidden_.insert(model);
  v1::SumOpening opening = sums_->last();
  opening.mutable_after()->set_model_sha256(std::string(32, 'm'));
  const absl::Status lost = FollowShown(3, opening);
  EXPECT_EQ(lost.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(lost.message()), HasSubstr("copy of the model"));
  EXPECT_EQ(follower_->chain().model_sha256(), model);
}

TEST_F(StudyFollowerTest, SiteThatWasAwayNeedsNoModelOfBefore) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  const std::string model = follower_->chain().model_sha256();
  MakeSum(2, *sums_, {SiteId("a")});
  std::filesystem::remove(absl::StrCat(folder_, "/cache/", ToHex(model)));
  hidden_.insert(model);
  ASSERT_TRUE(Follow(3).ok());
  ExpectAtTheSame();
}

// A study that validates, with a patience of one; see LossOf in
// followed_study.cc. The chosen models of round 2 on are of several rounds.
class FollowedChoiceTest : public FollowedStudyTest {
 protected:
  FollowedChoiceTest() {
    v1::Study study = study_;
    study.mutable_training()->mutable_validation()->set_share(0.2);
    study.mutable_training()->mutable_validation()->set_patience(1);
    Open(study);
  }
  // Follows the sums of rounds 1 to `rounds`.
  void FollowRounds(uint32_t rounds, bool restart) {
    MakeSum(0);
    ASSERT_TRUE(Follow(1).ok());
    for (uint32_t round = 1; round <= rounds; ++round) {
      ASSERT_TRUE(CheckRoster(Roster()).ok());
      MakeSum(round);
      if (restart) Restart();
      const absl::Status followed = Follow(round + 1);
      ASSERT_TRUE(followed.ok()) << followed;
      if (restart) {
        Restart();
        ASSERT_TRUE(Follow(round + 1).ok());
      }
      ExpectAtTheSame();
    }
  }
  // Returns the bytes of the models that an evaluation is about.
  std::string Evaluated() {
    const v1::Task task = TaskOf(9, *sums_, v1::Task::EVALUATE);
    EXPECT_EQ(ToHex(task.global().sha256()),
              ToHex(follower_->chain().best_sha256()));
    const auto path = follower_->ModelPath(task.header(), task.kind());
    EXPECT_TRUE(path.ok()) << path.status();
    return path.ok() ? ReadFile(*path).value() : "";
  }
};

TEST_F(FollowedChoiceTest, SitePutsTheChosenModelsTogetherItself) {
  for (bool restart : {false, true}) {
    Open(study_);
    FollowRounds(4, restart);
    const v1::StudyChain& chain = follower_->chain();
    ASSERT_EQ(chain.choices_size(), 3);
    EXPECT_EQ(chain.choices(0).best_round(), 0u);
    EXPECT_EQ(chain.choices(0).stopped_after(), 2u);
    EXPECT_EQ(chain.choices(1).best_round(), 3u);
    EXPECT_EQ(chain.choices(2).best_round(), 2u);
    EXPECT_EQ(chain.choices(2).stopped_after(), 4u);
    EXPECT_NE(chain.best_sha256(), chain.model_sha256());
    EXPECT_TRUE(Evaluated() == blobs_.at(chain.best_sha256()));
    EXPECT_FALSE(WasFetched(chain.best_sha256()));
  }
}

TEST_F(FollowedChoiceTest, OtherChosenModelsThanFollowAreRefused) {
  FollowRounds(2, /*restart=*/false);
  MakeSum(3);
  const v1::SumOpening honest = sums_->last();
  using Change = std::function<void(v1::StudyChain&)>;
  const Change changes[] = {
      // The model after round 2 in place of each track's best.
      [&](v1::StudyChain& c) {
        c.set_best_sha256(honest.before().model_sha256());
      },
      [&](v1::StudyChain& c) {
        c.set_best_sha256(honest.before().best_sha256());
      },
      [](v1::StudyChain& c) { c.clear_best_sha256(); },
      [](v1::StudyChain& c) { c.mutable_choices(1)->set_best_round(0); },
      [](v1::StudyChain& c) { c.mutable_choices(0)->set_best_loss(0.25); },
      [](v1::StudyChain& c) { c.mutable_choices(0)->set_stopped_after(0); },
      [](v1::StudyChain& c) { c.mutable_choices(1)->set_stopped_after(3); }};
  for (const Change& change : changes) {
    v1::SumOpening opening = honest;
    change(*opening.mutable_after());
    ExpectUntrusted(FollowShown(4, opening), "does not follow");
  }
  EXPECT_TRUE(FollowShown(4, honest).ok());
}

TEST_F(FollowedChoiceTest, SiteThatWasAwayFetchesTheChosenModels) {
  FollowRounds(1, /*restart=*/false);
  ASSERT_TRUE(CheckRoster(Roster()).ok());
  MakeSum(2, *sums_, {SiteId("a")});
  ASSERT_TRUE(Follow(3).ok());
  ExpectAtTheSame();
  ASSERT_TRUE(CheckRoster(Roster()).ok());
  MakeSum(3, *sums_, {SiteId("a")});
  MakeSum(4, *sums_, {SiteId("a")});
  ASSERT_TRUE(Follow(5).ok());  // takes the state as told
  const std::string kept = follower_->chain().best_sha256();
  ExpectAtTheSame();
  EXPECT_TRUE(WasFetched(kept));
  hidden_.insert(kept);  // the coordinator has it until the next sum only
  MakeSum(5);
  const absl::Status followed = Follow(6);
  ASSERT_TRUE(followed.ok()) << followed;
  EXPECT_TRUE(Evaluated() == blobs_.at(follower_->chain().best_sha256()));
}

TEST_F(FollowedChoiceTest, SiteWhoseChosenModelsAreLostLeavesTheSums) {
  FollowRounds(2, /*restart=*/false);
  const std::string kept = follower_->chain().best_sha256();
  ASSERT_TRUE(CheckRoster(Roster()).ok());
  MakeSum(3);
  std::filesystem::remove(absl::StrCat(folder_, "/cache/", ToHex(kept)));
  hidden_.insert(kept);
  const absl::Status lost = Follow(4);
  EXPECT_EQ(lost.code(), absl::StatusCode::kFailedPrecondition) << lost;
  EXPECT_THAT(std::string(lost.message()), HasSubstr("copy of the chosen"));
}

// The cache is cleaned also for a study that this process has not opened.
TEST_F(StudyFollowerTest, StateOnDiskSaysWhatAStudyNeeds) {
  EXPECT_TRUE(StudyFollower::NeededBy(state_path_).empty());
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  const std::vector<v1::BlobRef> needed = StudyFollower::NeededBy(state_path_);
  const auto has = [&](const std::string& sha256) {
    return std::any_of(needed.begin(), needed.end(), [&](const auto& blob) {
      return blob.sha256() == sha256;
    });
  };
  EXPECT_TRUE(has(follower_->chain().model_sha256()));
}

TEST_F(StudyFollowerTest, QuestionIsTheCoordinatorsInEachRoundAndKind) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  std::set<std::string> questions;
  for (uint32_t round = 1; round <= 2; ++round) {
    for (v1::Task::Kind kind : {v1::Task::TRAIN, v1::Task::EVALUATE}) {
      const v1::Task task = TaskOf(round, *sums_, kind);
      questions.insert(follower_->ContextOf(task).question);
      EXPECT_EQ(follower_->ContextOf(task).question,
                sums_->ContextOf(task).question);
    }
  }
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  questions.insert(follower_->ContextOf(TaskOf(2, *sums_)).question);
  EXPECT_EQ(questions.size(), 5u);
}

TEST_F(StudyFollowerTest, OwnChecksumIsOfTheMaskedVectorThatWasGiven) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  EXPECT_EQ(follower_->checksum(), sums_->ChecksumOf(SiteId("a")));
  EXPECT_EQ(follower_->checksum().size(), kVectorChecksumSize);
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  EXPECT_EQ(follower_->checksum(), sums_->ChecksumOf(SiteId("a")));
  // Another vector is in its place: the other sites fetch the given vector.
  MakeSum(2);
  ASSERT_TRUE(WriteVector(masked_path_, {1, 2, 3}).ok());
  ASSERT_TRUE(Follow(3).ok());
  EXPECT_EQ(follower_->checksum(), "");
}

TEST_F(StudyFollowerTest, RestartBetweenEveryTwoStepsGivesTheSame) {
  v1::Roster wrong;
  for (uint32_t round = 0; round <= 2; ++round) {
    MakeSum(round);
    ASSERT_TRUE(Follow(round + 1).ok());
    Restart();
    std::filesystem::remove(masked_path_);  // the next vector takes its place
    ASSERT_TRUE(Follow(round + 1).ok());
    ExpectAtTheSame();
    EXPECT_EQ(follower_->checksum(), sums_->ChecksumOf(SiteId("a")));
    // The sum stays unchecked until a check succeeds.
    wrong = Roster();
    wrong.mutable_entries(1)->mutable_keys()->set_checksum(
        std::string(kVectorChecksumSize, '\1'));
    ExpectUntrusted(CheckRoster(wrong), "is not the sum of what");
    Restart();
    ASSERT_TRUE(Follow(round + 1).ok());
    ExpectUntrusted(CheckRoster(wrong), "is not the sum of what");
    EXPECT_TRUE(CheckRoster(Roster()).ok());
    Restart();
    ASSERT_TRUE(Follow(round + 1).ok());
    EXPECT_TRUE(CheckRoster(wrong).ok());
    ExpectAtTheSame();
  }
}

TEST_F(StudyFollowerTest, DamagedStateIsNamedAndNothingIsFollowed) {
  MakeSum(0);
  ASSERT_TRUE(Follow(1).ok());
  const std::string whole = ReadFile(state_path_).value();
  for (size_t i = 0; i < whole.size(); i += 7) {
    std::string changed = whole;
    changed[i] ^= 1;
    for (const std::string& bytes : {changed, whole.substr(0, i)}) {
      ASSERT_TRUE(
          WriteFileAtomically(state_path_, bytes, Durability::kNone).ok());
      Restart();
      const absl::Status followed = Follow(1);
      EXPECT_EQ(followed.code(), absl::StatusCode::kDataLoss) << i;
      EXPECT_THAT(std::string(followed.message()), HasSubstr(state_path_));
      EXPECT_FALSE(follower_->HasCohort());
    }
  }
  ASSERT_TRUE(WriteFileAtomically(state_path_, whole).ok());
  Restart();
  ASSERT_TRUE(Follow(1).ok());
  ExpectAtTheSame();
}

TEST_F(StudyFollowerTest, NeededBlobsAreAllThatTheNextRoundReads) {
  MakeSum(0);
  MakeSum(1);
  ASSERT_TRUE(Follow(2).ok());
  cache().KeepOnly(follower_->Needed());
  hidden_.insert(study_.initial_weights_sha256());
  hidden_.insert(sums_->chain().model_sha256());
  hidden_.insert(sums_->last().sum().sha256());
  EXPECT_TRUE(CheckRoster(Roster()).ok());
  ExpectAtTheSame();
  EXPECT_TRUE(follower_->FrozenPath(TaskOf(2, *sums_).header()).ok());
}

}  // namespace
}  // namespace hilum
