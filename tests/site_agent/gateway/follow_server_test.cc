// SPDX-License-Identifier: Apache-2.0
// A site that follows a study with a server optimiser: model and state.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/followed_study.h"

namespace hilum {
namespace {

using testing::HasSubstr;

const SiteId kSelf("a");

class FollowServerTest : public FollowedStudyTest {
 protected:
  FollowServerTest() {
    v1::Study study = study_;
    v1::ServerOptimizer& server =
        *study.mutable_aggregation()->mutable_server_optimizer();
    server.set_kind(v1::ServerOptimizer::KIND_ADAMW);
    server.set_clip(1);
    FillStudyDefaults(study);
    Open(study);
  }

  const std::string& State() const {
    return follower_->chain().optimizer_sha256();
  }
  void Forget(const std::string& sha256) {
    std::filesystem::remove(absl::StrCat(folder_, "/cache/", ToHex(sha256)));
    hidden_.insert(sha256);
  }
  // Follows and checks the sum of the round before.
  void FollowAndCheck(uint32_t round) {
    const absl::Status followed = Follow(round);
    ASSERT_TRUE(followed.ok()) << followed;
    const absl::Status checked = CheckRoster(Roster());
    ASSERT_TRUE(checked.ok()) << checked;
    ExpectAtTheSame();
  }
};

TEST_F(FollowServerTest, ModelAndStateAreWorkedOutRoundByRound) {
  MakeSum(0);
  FollowAndCheck(1);
  EXPECT_TRUE(State().empty());
  std::string before;
  for (uint32_t round = 1; round <= 3; ++round) {
    MakeSum(round);
    FollowAndCheck(round + 1);
    EXPECT_EQ(State().size(), 32u);
    EXPECT_NE(State(), before);
    // The site worked it out itself.
    EXPECT_FALSE(WasFetched(State()));
    before = State();
  }
}

TEST_F(FollowServerTest, RestartBetweenEveryTwoStepsGivesTheSame) {
  MakeSum(0);
  Restart();
  FollowAndCheck(1);
  for (uint32_t round = 1; round <= 3; ++round) {
    Restart();
    MakeSum(round);
    Restart();
    ASSERT_TRUE(Follow(round + 1).ok());
    Restart();
    FollowAndCheck(round + 1);
  }
}

// A kill between the files and the state leaves new files that count nothing.
TEST_F(FollowServerTest, StepThatWasNotSavedIsTakenOnceMore) {
  MakeSum(0);
  FollowAndCheck(1);
  MakeSum(1);
  const std::string kept = ReadFile(state_path_).value();
  FollowAndCheck(2);
  ASSERT_TRUE(WriteFileAtomically(state_path_, kept).ok());
  Restart();
  FollowAndCheck(2);
  MakeSum(2);
  FollowAndCheck(3);
}

TEST_F(FollowServerTest, SiteThatWasAwayTakesTheStateAsTold) {
  MakeSum(0);
  FollowAndCheck(1);
  MakeSum(1);
  FollowAndCheck(2);
  MakeSum(2, *sums_, {}, {kSelf});
  MakeSum(3, *sums_, {}, {kSelf});
  ASSERT_TRUE(Follow(4).ok());
  ExpectAtTheSame();  // and fetches model and state
  EXPECT_TRUE(WasFetched(State()));
  const std::string before = State();
  MakeSum(4);
  hidden_.insert(before);  // the coordinator has it no more
  FollowAndCheck(5);
}

TEST_F(FollowServerTest, StateThatDoesNotFollowIsRefused) {
  MakeSum(0);
  FollowAndCheck(1);
  MakeSum(1);
  v1::SumOpening opening = sums_->last();
  opening.mutable_after()->set_optimizer_sha256(std::string(32, 'o'));
  ExpectUntrusted(FollowShown(2, opening), "does not follow");
  opening.mutable_after()->clear_optimizer_sha256();
  ExpectUntrusted(FollowShown(2, opening), "does not follow");
  FollowAndCheck(2);
}

TEST_F(FollowServerTest, SurvivorThatLostTheStateIsNotToldTheNext) {
  MakeSum(0);
  FollowAndCheck(1);
  MakeSum(1);
  FollowAndCheck(2);
  MakeSum(2);
  Forget(State());
  const absl::Status lost = Follow(3);
  EXPECT_EQ(lost.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(lost.message()), HasSubstr("copy of the model"));
}

TEST_F(FollowServerTest, CacheKeepsTheState) {
  MakeSum(0);
  FollowAndCheck(1);
  MakeSum(1);
  FollowAndCheck(2);
  for (const auto& needed :
       {follower_->Needed(), StudyFollower::NeededBy(state_path_)}) {
    EXPECT_TRUE(std::any_of(
        needed.begin(), needed.end(),
        [&](const v1::BlobRef& blob) { return blob.sha256() == State(); }));
  }
}

// The model is not that of plain averaging.
TEST_F(FollowServerTest, StepIsNotTheMean) {
  MakeSum(0);
  FollowAndCheck(1);
  MakeSum(1);
  FollowAndCheck(2);
  const std::string adaptive = follower_->chain().model_sha256();
  v1::Study study = study_;
  study.mutable_aggregation()->clear_server_optimizer();
  Open(study);
  MakeSum(0);
  FollowAndCheck(1);
  MakeSum(1);
  FollowAndCheck(2);
  EXPECT_NE(follower_->chain().model_sha256(), adaptive);
  EXPECT_TRUE(State().empty());
}

}  // namespace
}  // namespace hilum
