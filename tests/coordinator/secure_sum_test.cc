// SPDX-License-Identifier: Apache-2.0
#include "coordinator/secure_sum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/aggregation/ring.h"
#include "common/secagg/opening.h"
#include "tests/coordinator/sum_site.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using State = SecureSum::State;
using Step = SecAggServer::Step;
using testing::HasSubstr;

constexpr absl::Duration kStep = absl::Seconds(60);
constexpr absl::Duration kMoment = absl::Nanoseconds(1);
const absl::Time kStart = absl::FromUnixSeconds(1000);
const absl::Time kLast = kStart + absl::Hours(1);
const std::vector<std::string> kAll = {"a", "b", "c", "d"};
const std::vector<std::string> kThree = {"a", "b", "c"};

// A sum of four sites, of which three are enough; each adds three numbers.
class SecureSumTest : public testing::Test {
 protected:
  SecureSumTest() {
    uint32_t seed = 7;
    for (const std::string& name : kAll) {
      vectors_[name] = {seed, ~seed, seed * seed};
      seed *= 1000003;
    }
    StartSum('i');
  }

  static SecAggContext Context() {
    SecAggContext context{.study_hash = std::string(32, 'h'),
                          .round = 1,
                          .question = std::string(32, 'q')};
    for (const std::string& name : kAll) context.cohort.emplace(name);
    return context;
  }
  static std::unique_ptr<SecureSum> MakeSum(char id) {
    return std::make_unique<SecureSum>(
        SecureSum::Options{.context = Context(),
                           .id = std::string(32, id),
                           .step_deadline = kStep},
        TestVerifier());
  }

  // Starts a sum with sites that have not been in one.
  void StartSum(char id) {
    sum_ = MakeSum(id);
    for (const std::string& name : kAll) {
      sites_[name] = std::make_unique<SumSite>(SiteId(name));
    }
  }

  // Returns a site's answer to the open step.
  Said Answer(const std::string& name) {
    return sites_.at(name)->Answer(Context(), sum_->StepFor(SiteId(name)),
                                   vectors_.at(name));
  }
  // Lets these sites answer the open step; then the owner looks at the clock.
  State Take(const std::vector<std::string>& names, absl::Time now = kStart) {
    const bool begins = sum_->IsGathering();
    for (const std::string& name : names) {
      const absl::Status taken = sum_->On(SiteId(name), Answer(name));
      EXPECT_TRUE(taken.ok()) << taken;
    }
    if (begins) sum_->Begin(now);
    return sum_->Advance(now, kLast);
  }
  // Lets all sites answer until `step` is open.
  void GoTo(Step step) {
    while (sum_->step() < step) ASSERT_EQ(Take(kAll), State::kOpen);
  }

  std::vector<uint32_t> PlainSum(const std::vector<std::string>& names) const {
    std::vector<uint32_t> sum(3);
    for (const std::string& name : names) {
      AddWords(vectors_.at(name), absl::MakeSpan(sum));
    }
    return sum;
  }
  // Reads the sum as its owner does, who has the vectors.
  std::vector<uint32_t> Read() const {
    std::vector<uint32_t> sum(3);
    for (const SiteId& site : sum_->survivors()) {
      AddWords(sites_.at(site.name())->masked(), absl::MakeSpan(sum));
    }
    auto opening = sum_->Open();
    EXPECT_TRUE(opening.ok()) << opening.status();
    if (!opening.ok()) return sum;
    const absl::Status opens =
        CheckOpening(Context(), TestVerifier(), *opening);
    EXPECT_TRUE(opens.ok()) << opens;
    auto unmask = sum_->Unmask(*opening);
    EXPECT_TRUE(unmask.ok()) << unmask.status();
    if (unmask.ok()) (*unmask)(0, absl::MakeSpan(sum));
    return sum;
  }

  std::map<std::string, std::unique_ptr<SumSite>> sites_;
  std::map<std::string, std::vector<uint32_t>> vectors_;
  std::unique_ptr<SecureSum> sum_;
};

TEST_F(SecureSumTest, SumOfAllIsReadAfterFiveSteps) {
  for (int step = 1; step <= 4; ++step) ASSERT_EQ(Take(kAll), State::kOpen);
  ASSERT_EQ(Take(kAll), State::kDone);
  EXPECT_EQ(Read(), PlainSum(kAll));
  EXPECT_EQ(sum_->vectors().size(), 4u);
}

TEST_F(SecureSumTest, StepClosesWithoutTheSilentAtItsDeadlineAndNotBefore) {
  for (Step step : {Step::kShareKeys, Step::kMaskedInput, Step::kConfirm}) {
    StartSum(static_cast<char>(step));
    GoTo(step);
    EXPECT_EQ(sum_->deadline(), kStart + kStep);
    ASSERT_EQ(Take(kThree, kStart + kStep - kMoment), State::kOpen);
    EXPECT_EQ(sum_->step(), step);
    EXPECT_THAT(sum_->waiting(), testing::ElementsAre(SiteId("d")));
    ASSERT_EQ(sum_->Advance(kStart + kStep, kLast), State::kOpen);
    EXPECT_EQ(sum_->step(), static_cast<Step>(static_cast<int>(step) + 1));
    EXPECT_EQ(sum_->deadline(),
              step == Step::kConfirm ? kLast : kStart + 2 * kStep);
    while (sum_->step() < Step::kUnmask) {
      ASSERT_EQ(Take(kThree), State::kOpen);
    }
    ASSERT_EQ(Take(kThree, kStart + 2 * kStep), State::kDone);
    EXPECT_EQ(Read(), PlainSum(step == Step::kConfirm ? kAll : kThree));
  }
}

TEST_F(SecureSumTest, StepThatAllHaveAnsweredClosesAtOnce) {
  GoTo(Step::kShareKeys);
  ASSERT_EQ(Take(kThree), State::kOpen);
  EXPECT_EQ(sum_->step(), Step::kShareKeys);
  ASSERT_EQ(Take({"d"}), State::kOpen);
  EXPECT_EQ(sum_->step(), Step::kMaskedInput);
}

TEST_F(SecureSumTest, FewerThanTheThresholdAtADeadlineLoseTheSum) {
  for (Step step : {Step::kShareKeys, Step::kMaskedInput, Step::kConfirm}) {
    StartSum(static_cast<char>(step));
    GoTo(step);
    ASSERT_EQ(Take({"a", "b"}, kStart + kStep - kMoment), State::kOpen);
    EXPECT_EQ(sum_->Advance(kStart + kStep, kLast), State::kLost);
    EXPECT_FALSE(sum_->Open().ok());
  }
  EXPECT_THAT(sum_->reason(), HasSubstr("in step Confirm"));
  EXPECT_THAT(sum_->reason(), HasSubstr("2 sites are left, of at least 3"));
}

TEST_F(SecureSumTest, SumOutOfTheThresholdsReachIsLostBeforeItsDeadline) {
  GoTo(Step::kMaskedInput);
  sum_->Leave(SiteId("a"));
  ASSERT_EQ(sum_->Advance(kStart, kLast), State::kOpen);
  sum_->Leave(SiteId("b"));
  EXPECT_EQ(sum_->Advance(kStart, kLast), State::kLost);
}

TEST_F(SecureSumTest, LastStepWaitsForTheThresholdAsLongAsTheRoundAllows) {
  GoTo(Step::kUnmask);
  ASSERT_EQ(Take({"a", "b"}, kStart + kStep), State::kOpen);
  EXPECT_EQ(sum_->deadline(), kLast);
  ASSERT_EQ(sum_->Advance(kLast - kMoment, kLast), State::kOpen);
  ASSERT_EQ(Take({"c"}, kLast - kMoment), State::kDone);
  EXPECT_EQ(Read(), PlainSum(kAll));
}

TEST_F(SecureSumTest, LastStepWaitsForMoreThanTheThresholdToItsDeadlineOnly) {
  GoTo(Step::kUnmask);
  ASSERT_EQ(Take(kThree, kStart + kStep - kMoment), State::kOpen);
  EXPECT_EQ(sum_->deadline(), kStart + kStep);
  EXPECT_EQ(sum_->Advance(kStart + kStep, kLast), State::kDone);
}

// Sites reveal shares once a round, so the owner must not try again then.
TEST_F(SecureSumTest, LossInTheLastStepIsToldFromLossBefore) {
  GoTo(Step::kUnmask);
  ASSERT_EQ(Take({"a", "b"}, kLast - kMoment), State::kOpen);
  EXPECT_EQ(sum_->Advance(kLast, kLast), State::kLostRevealed);
  EXPECT_THAT(sum_->reason(), HasSubstr("in step Unmask"));
  EXPECT_FALSE(sum_->Open().ok());

  StartSum('2');
  GoTo(Step::kUnmask);
  for (const char* name : {"a", "b"}) sum_->Leave(SiteId(name));
  EXPECT_EQ(sum_->Advance(kStart, kLast), State::kLostRevealed);
}

TEST_F(SecureSumTest, PieceOfAVectorMovesTheDeadlineOfThatStepAlone) {
  const absl::Time later = kStart + kStep / 2;
  GoTo(Step::kShareKeys);
  sum_->Touch(later);
  ASSERT_EQ(sum_->Advance(later, kLast), State::kOpen);
  EXPECT_EQ(sum_->deadline(), kStart + kStep);
  GoTo(Step::kMaskedInput);
  sum_->Touch(later);
  ASSERT_EQ(Take(kThree, kStart + kStep), State::kOpen);
  EXPECT_EQ(sum_->step(), Step::kMaskedInput);
  EXPECT_EQ(sum_->deadline(), later + kStep);
  ASSERT_EQ(sum_->Advance(later + kStep, kLast), State::kOpen);
  EXPECT_EQ(sum_->step(), Step::kConfirm);
}

TEST_F(SecureSumTest, PiecesOfAVectorHoldNoStepOpenPastTheRound) {
  GoTo(Step::kMaskedInput);
  sum_->Touch(kLast - kMoment);
  ASSERT_EQ(Take(kThree, kLast - kMoment), State::kOpen);
  EXPECT_EQ(sum_->deadline(), kLast);
}

TEST_F(SecureSumTest, AnswerToAnotherSumIsRefusedAndCostsItsSiteNothing) {
  for (int step = 0; step < 5; ++step) {
    Said other = Answer("a");
    other.set_sum_id(std::string(32, 'o'));
    EXPECT_EQ(sum_->On(SiteId("a"), other).code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(sum_->Waits(SiteId("a")));
    Take(kAll);
  }
  EXPECT_EQ(Read(), PlainSum(kAll));
}

TEST_F(SecureSumTest, AnswerToAnotherStepIsRefusedAndCostsItsSiteNothing) {
  const Said keys = Answer("a");
  GoTo(Step::kShareKeys);
  EXPECT_EQ(sum_->On(SiteId("a"), keys).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(sum_->Waits(SiteId("a")));
}

TEST_F(SecureSumTest, SiteThatLeftIsNeitherWaitedForNorHeardAgain) {
  GoTo(Step::kShareKeys);
  const Said shares = Answer("d");
  Said leaves = shares;
  leaves.set_leave(true);
  EXPECT_TRUE(sum_->On(SiteId("d"), leaves).ok());
  EXPECT_FALSE(sum_->Waits(SiteId("d")));
  EXPECT_EQ(sum_->On(SiteId("d"), shares).code(),
            absl::StatusCode::kFailedPrecondition);
  while (sum_->step() < Step::kUnmask) ASSERT_EQ(Take(kThree), State::kOpen);
  ASSERT_EQ(Take(kThree), State::kDone);
  EXPECT_EQ(Read(), PlainSum(kThree));
}

// A stored vector stays in the sum: others hold the shares of its masks.
TEST_F(SecureSumTest, VectorOfASiteThatLeavesAfterwardsIsInTheSum) {
  GoTo(Step::kMaskedInput);
  ASSERT_EQ(Take({"d"}), State::kOpen);
  sum_->Leave(SiteId("d"));
  ASSERT_EQ(Take(kThree), State::kOpen);
  ASSERT_EQ(Take(kThree), State::kOpen);
  ASSERT_EQ(Take(kThree), State::kDone);
  EXPECT_EQ(Read(), PlainSum(kAll));
}

// Returns an answer of the right kind with a wrong content.
Said Spoilt(Said said) {
  if (said.has_keys()) said.mutable_keys()->mutable_mask_key()->pop_back();
  if (said.has_shares()) said.mutable_shares()->mutable_shares()->RemoveLast();
  if (said.has_masked()) said.clear_masked();
  if (said.has_confirmation()) {
    said.mutable_confirmation()->mutable_signature()->back() ^= 1;
  }
  if (said.has_revealed()) {
    said.mutable_revealed()->mutable_shares(0)->mutable_share()->pop_back();
  }
  return said;
}

TEST_F(SecureSumTest, MalformedAnswerPutsItsSenderOutAndTheSumGoesOn) {
  for (int bad = 0; bad < 5; ++bad) {
    StartSum(static_cast<char>(bad));
    for (int step = 0; step < 5; ++step) {
      if (step == bad) {
        const absl::Status status = sum_->On(SiteId("d"), Spoilt(Answer("d")));
        EXPECT_TRUE(absl::IsInvalidArgument(status) ||
                    absl::IsUnauthenticated(status))
            << status;
        EXPECT_FALSE(sum_->Waits(SiteId("d")));
      }
      ASSERT_EQ(Take(step < bad ? kAll : kThree),
                step == 4 ? State::kDone : State::kOpen)
          << bad << " " << step;
    }
    EXPECT_EQ(Read(), PlainSum(bad <= 2 ? kThree : kAll)) << bad;
  }
}

TEST_F(SecureSumTest, SiteThatWasAskedAnotherQuestionIsOutOfTheSumByName) {
  SecAggContext other = Context();
  other.question = std::string(32, 'o');
  const Said said =
      sites_.at("d")->Answer(other, sum_->StepFor(SiteId("d")), {1, 2, 3});
  const absl::Status refused = sum_->On(SiteId("d"), said);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("d takes itself to be asked another question"));
  EXPECT_FALSE(sum_->Waits(SiteId("d")));
  while (sum_->step() < Step::kUnmask) ASSERT_EQ(Take(kThree), State::kOpen);
  ASSERT_EQ(Take(kThree), State::kDone);
  EXPECT_EQ(Read(), PlainSum(kThree));
}

TEST_F(SecureSumTest, VectorThatItsSiteDidNotSignPutsItOutOfTheSum) {
  GoTo(Step::kMaskedInput);
  Said said = Answer("d");
  said.mutable_masked()->set_sha256(std::string(32, 'x'));
  EXPECT_FALSE(sum_->On(SiteId("d"), said).ok());
  EXPECT_FALSE(sum_->Waits(SiteId("d")));
  while (sum_->step() < Step::kUnmask) ASSERT_EQ(Take(kThree), State::kOpen);
  ASSERT_EQ(Take(kThree), State::kDone);
  EXPECT_EQ(Read(), PlainSum(kThree));
}

TEST_F(SecureSumTest, AnswerRepeatedWithinItsStepCountsOnce) {
  for (int step = 0; step < 5; ++step) {
    const Said said = Answer("a");
    ASSERT_TRUE(sum_->On(SiteId("a"), said).ok());
    ASSERT_TRUE(sum_->On(SiteId("a"), said).ok());
    EXPECT_FALSE(sum_->Waits(SiteId("a")));
    Take({"b", "c", "d"});
  }
  EXPECT_EQ(sum_->record().entries_size(), 4 * 4);
  EXPECT_EQ(Read(), PlainSum(kAll));
}

TEST_F(SecureSumTest, SecondVectorOfASiteIsNotTheOneThatCounts) {
  GoTo(Step::kMaskedInput);
  Said said = Answer("a");
  ASSERT_TRUE(sum_->On(SiteId("a"), said).ok());
  const std::string first = said.masked().sha256();
  said.mutable_masked()->set_sha256(std::string(32, 'x'));
  ASSERT_TRUE(sum_->On(SiteId("a"), said).ok());
  EXPECT_EQ(sum_->vectors().at(SiteId("a")).sha256(), first);
}

// In each step but the last a site is lost, and one had revealed its shares
// already: it sends them again.
TEST_F(SecureSumTest, ReplayedRecordIsTheSameSumInItsLastStep) {
  GoTo(Step::kMaskedInput);
  ASSERT_EQ(Take(kThree, kStart + kStep), State::kOpen);
  ASSERT_EQ(Take(kThree, kStart + kStep), State::kOpen);
  ASSERT_EQ(sum_->step(), Step::kUnmask);
  const std::string shown = sum_->StepFor(SiteId("a")).SerializeAsString();
  const v1::SecureSumRecord record = sum_->record();
  ASSERT_EQ(Take({"a"}), State::kOpen);
  EXPECT_EQ(sum_->record().SerializeAsString(), record.SerializeAsString());

  const absl::Time later = kStart + absl::Minutes(30);
  sum_ = MakeSum('i');
  const absl::Status replayed = sum_->Replay(record, later);
  ASSERT_TRUE(replayed.ok()) << replayed;
  EXPECT_EQ(sum_->step(), Step::kUnmask);
  EXPECT_EQ(sum_->StepFor(SiteId("a")).SerializeAsString(), shown);
  EXPECT_EQ(sum_->record().SerializeAsString(), record.SerializeAsString());
  ASSERT_EQ(Take({"a", "b"}, later), State::kOpen);
  ASSERT_EQ(Take({"c"}, later), State::kDone);
  EXPECT_EQ(Read(), PlainSum(kThree));
}

TEST_F(SecureSumTest, RecordOfASumBeforeItsLastStepIsNone) {
  GoTo(Step::kUnmask);
  const v1::SecureSumRecord record = sum_->record();
  for (int entries = 0; entries < record.entries_size(); ++entries) {
    v1::SecureSumRecord cut = record;
    cut.mutable_entries()->DeleteSubrange(entries,
                                          record.entries_size() - entries);
    sum_ = MakeSum('i');
    // The last of four confirmations may be missing.
    EXPECT_EQ(
        sum_->Replay(cut, kStart).code(),
        entries == 15 ? absl::StatusCode::kOk : absl::StatusCode::kDataLoss)
        << entries;
  }
}

TEST_F(SecureSumTest, RecordThatWasChangedIsRefused) {
  GoTo(Step::kUnmask);
  v1::SecureSumRecord record = sum_->record();
  *record.mutable_entries(5)->mutable_said() = Said();
  EXPECT_FALSE(MakeSum('i')->Replay(record, kStart).ok());
  record = sum_->record();
  record.mutable_entries(2)->set_site("b");
  EXPECT_FALSE(MakeSum('i')->Replay(record, kStart).ok());
}

}  // namespace
}  // namespace hilum
