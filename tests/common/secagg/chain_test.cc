// SPDX-License-Identifier: Apache-2.0
// The state of a study's sums, which sites and the coordinator compute
// independently.
#include "common/secagg/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "common/secagg/context.h"
#include "coordinator/validation.h"

namespace hilum {
namespace {

const std::string kStudy(32, 's');

v1::StudyChain SomeChain() {
  v1::StudyChain chain;
  chain.set_previous(std::string(32, 'p'));
  chain.set_round(3);
  chain.set_statement(std::string(32, 't'));
  chain.set_sum_sha256(std::string(32, 'u'));
  chain.set_census_sha256(std::string(32, 'c'));
  chain.set_model_sha256(std::string(32, 'm'));
  chain.set_best_sha256(std::string(32, 'b'));
  chain.set_best_loss(0.5);
  chain.set_to_beat(0.625);
  chain.set_without_gain(2);
  chain.set_tried(true);
  return chain;
}

using Change = std::function<void(v1::StudyChain&)>;

// Returns one change of each field.
std::vector<Change> Changes() {
  return {
      [](v1::StudyChain& c) { c.mutable_previous()->back() ^= 1; },
      [](v1::StudyChain& c) { c.set_round(4); },
      [](v1::StudyChain& c) { c.mutable_statement()->back() ^= 1; },
      [](v1::StudyChain& c) { c.mutable_sum_sha256()->back() ^= 1; },
      [](v1::StudyChain& c) { c.mutable_census_sha256()->back() ^= 1; },
      [](v1::StudyChain& c) { c.mutable_model_sha256()->back() ^= 1; },
      [](v1::StudyChain& c) { c.mutable_best_sha256()->back() ^= 1; },
      [](v1::StudyChain& c) { c.set_best_loss(std::nextafter(0.5, 1)); },
      [](v1::StudyChain& c) { c.set_to_beat(std::nextafter(0.625, 1)); },
      [](v1::StudyChain& c) { c.set_without_gain(3); },
      [](v1::StudyChain& c) { c.set_tried(false); },
      [](v1::StudyChain& c) { c.set_optimizer_sha256(std::string(32, 'o')); }};
}

TEST(ChainTest, HistoryChangesWithEachField) {
  const std::vector<Change> changes = Changes();
  ASSERT_EQ(static_cast<int>(changes.size()),
            v1::StudyChain::descriptor()->field_count());
  std::set<std::string> histories = {History(SomeChain())};
  for (const Change& change : changes) {
    v1::StudyChain chain = SomeChain();
    change(chain);
    histories.insert(History(chain));
  }
  EXPECT_EQ(histories.size(), changes.size() + 1);
  EXPECT_EQ(History(SomeChain()), History(SomeChain()));
  EXPECT_EQ(histories.begin()->size(), 32u);
}

// The parts have other lengths, but the same bytes one after the other.
TEST(ChainTest, BytesThatMoveFromOneFieldToTheNextChangeTheHistory) {
  v1::StudyChain chain = SomeChain(), moved = chain;
  moved.mutable_statement()->pop_back();
  moved.mutable_sum_sha256()->insert(0, 1, chain.statement().back());
  ASSERT_EQ(chain.statement() + chain.sum_sha256(),
            moved.statement() + moved.sum_sha256());
  EXPECT_NE(History(chain), History(moved));
}

// The digests are checked byte for byte against chain.h: sites on other
// releases and machines must compute the same.
TEST(ChainTest, HistoryAndQuestionAreOfTheBytesThatTheHeaderNames) {
  auto part = [](const std::string& bytes) {
    return std::string(1, static_cast<char>(bytes.size())) +
           std::string(3, '\0') + bytes;
  };
  const v1::StudyChain c = SomeChain();
  const std::string history = Sha256Of(
      part("hilum history v1") + part(c.previous()) + part("3") +
      part(c.statement()) + part(c.sum_sha256()) + part(c.census_sha256()) +
      part(c.model_sha256()) + part(c.best_sha256()) +
      part("4602678819172646912") +  // 0x3fe0000000000000: 0.5
      part("4603804719079489536") +  // 0x3fe4000000000000: 0.625
      part("2") + part("tried"));
  EXPECT_EQ(History(c), history);
  v1::StudyChain served = c;
  served.set_optimizer_sha256(std::string(32, 'o'));
  EXPECT_NE(History(served), history);
  EXPECT_EQ(Question(kStudy, 4, v1::Task::TRAIN, c),
            Sha256Of(part("hilum question v1") + part(kStudy) + part("4") +
                     part(absl::StrCat(static_cast<int>(v1::Task::TRAIN))) +
                     part(history) + part(c.model_sha256())));
}

TEST(ChainTest, QuestionDiffersByStudyRoundKindHistoryAndModel) {
  const v1::StudyChain chain = SomeChain();
  v1::StudyChain other_history = chain, other_model = chain;
  other_history.mutable_previous()->back() ^= 1;
  other_model.mutable_model_sha256()->back() ^= 1;
  const std::set<std::string> questions = {
      Question(kStudy, 4, v1::Task::TRAIN, chain),
      Question(std::string(32, 'z'), 4, v1::Task::TRAIN, chain),
      Question(kStudy, 5, v1::Task::TRAIN, chain),
      Question(kStudy, 4, v1::Task::PREPARE, chain),
      Question(kStudy, 4, v1::Task::EVALUATE, chain),
      Question(kStudy, 4, v1::Task::TRAIN, other_history),
      Question(kStudy, 4, v1::Task::TRAIN, other_model)};
  EXPECT_EQ(questions.size(), 7u);
  EXPECT_EQ(Question(kStudy, 4, v1::Task::TRAIN, chain),
            Question(kStudy, 4, v1::Task::TRAIN, SomeChain()));
}

TEST(ChainTest, BestOfTheTriedIsEvaluatedAndTheLastIsTrained) {
  v1::StudyChain chain = SomeChain();
  EXPECT_EQ(ModelOf(chain, v1::Task::EVALUATE), chain.best_sha256());
  EXPECT_EQ(ModelOf(chain, v1::Task::TRAIN), chain.model_sha256());
  EXPECT_EQ(ModelOf(chain, v1::Task::PREPARE), chain.model_sha256());
  chain.set_tried(false);
  EXPECT_EQ(ModelOf(chain, v1::Task::EVALUATE), chain.model_sha256());
}

TEST(ChainTest, FirstStateIsOfTheStudyAndTheStartingWeights) {
  const std::string start(32, 'm');
  const v1::StudyChain chain = FirstChain(kStudy, start);
  EXPECT_EQ(chain.model_sha256(), start);
  EXPECT_FALSE(chain.tried());
  EXPECT_TRUE(std::isinf(chain.best_loss()) && std::isinf(chain.to_beat()));
  EXPECT_NE(History(chain), History(FirstChain(std::string(32, 'z'), start)));
  EXPECT_NE(History(chain), History(FirstChain(kStudy, std::string(32, 'n'))));
}

ChainStep Step(uint32_t round) {
  return {.round = round,
          .statement = absl::StrCat("statement ", round),
          .sum_sha256 = Sha256Of(absl::StrCat("sum ", round))};
}

TEST(ChainTest, StateAfterASumHoldsWhatItCameFrom) {
  const v1::StudyChain first = FirstChain(kStudy, std::string(32, 'm'));
  const v1::StudyChain census =
      AfterCensus(first, Step(0), std::string(32, 'c'));
  EXPECT_EQ(census.previous(), History(first));
  EXPECT_EQ(census.statement(), Sha256Of("statement 0"));
  EXPECT_EQ(census.sum_sha256(), Step(0).sum_sha256);
  EXPECT_EQ(census.census_sha256(), std::string(32, 'c'));
  EXPECT_EQ(census.model_sha256(), first.model_sha256());
  const v1::StudyChain trained = AfterTraining(
      v1::Study(), census, Step(1), std::string(32, 'n'), std::nullopt);
  EXPECT_EQ(trained.previous(), History(census));
  EXPECT_EQ(trained.round(), 1u);
  EXPECT_EQ(trained.model_sha256(), std::string(32, 'n'));
  EXPECT_EQ(trained.census_sha256(), census.census_sha256());
  EXPECT_FALSE(trained.tried());
}

TEST(ChainTest, ChallengeIsOfWhatFixesTheSum) {
  const v1::StudyChain after = SomeChain();
  v1::StudyChain statement = after, sum = after, rest = after;
  statement.mutable_statement()->back() ^= 1;
  sum.mutable_sum_sha256()->back() ^= 1;
  rest.mutable_model_sha256()->back() ^= 1;
  EXPECT_EQ(ChecksumChallenge(after).size(), 32u);
  EXPECT_NE(ChecksumChallenge(after), ChecksumChallenge(statement));
  EXPECT_NE(ChecksumChallenge(after), ChecksumChallenge(sum));
  EXPECT_EQ(ChecksumChallenge(after), ChecksumChallenge(rest));
}

TEST(ChainTest, DigestOfWordsIsOfTheirLittleEndianBytes) {
  const std::vector<uint32_t> words = {0x04030201, 0x08070605};
  EXPECT_EQ(DigestOfWords(words), Sha256Of("\x01\x02\x03\x04\x05\x06\x07\x08"));
  EXPECT_EQ(DigestOfWords({}), Sha256Of(""));
}

// --- Validation, compared with the coordinator's own result.

// Returns one round's loss for its first global: none, or a loss from a small
// stock, so that equal losses and gains of exactly minimum_gain occur.
double SomeLoss(Rng& rng) {
  constexpr double kStock[] = {0.25, 0.5, 0.625, 0.75, 0.875, 1.0};
  const uint64_t draw = rng.Below(10);
  if (draw < 2) return std::nan("");
  if (draw == 2) return std::numeric_limits<double>::infinity();
  return draw < 5 ? rng.Uniform() : kStock[rng.Below(6)];
}

// A study's rounds as the coordinator stores them, and as a site follows them.
struct Followed {
  v1::Study study;
  std::vector<std::string> models = {Sha256Of("start")};  // after each round
  v1::StudyChain chain = FirstChain(kStudy, models[0]);
  std::vector<RoundSummary> rounds;
};

void AddRound(Rng& rng, Followed& followed) {
  const auto r = static_cast<uint32_t>(followed.models.size());
  if (rng.Below(6) == 0) {  // its sum was lost: the global stays
    followed.rounds.push_back(
        {.round = r, .contributors = {}, .mean_loss = {}});
    followed.models.push_back(followed.models.back());
    return;
  }
  const double loss = SomeLoss(rng);
  followed.models.push_back(Sha256Of(absl::StrCat("model ", r)));
  followed.rounds.push_back(
      {.round = r,
       .contributors = {SiteId("a")},
       .mean_loss = {1},
       .validation_examples = {std::isnan(loss) ? 0u : 5u},
       .validation_loss = {loss}});
  followed.chain = AfterTraining(followed.study, followed.chain, Step(r),
                                 followed.models.back(),
                                 followed.rounds.back().MeanValidationLoss());
}

TEST(ChainTest, ValidationIsTheCoordinatorsOnAnyHistory) {
  Rng rng(1, "histories");
  int over = 0, tried = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    Followed followed;
    v1::Training& training = *followed.study.mutable_training();
    training.set_rounds(100);
    v1::Validation& validation = *training.mutable_validation();
    validation.set_patience(static_cast<uint32_t>(rng.Below(4)));
    validation.set_minimum_gain(rng.Below(2) == 0 ? 0 : 0.125);
    for (uint64_t left = rng.Below(12); left > 0; --left) {
      AddRound(rng, followed);
    }
    const v1::StudyChain& chain = followed.chain;
    const std::optional<uint32_t> best = BestRound(followed.rounds);
    ASSERT_EQ(chain.tried(), best.has_value()) << trial;
    EXPECT_EQ(ModelOf(chain, v1::Task::EVALUATE),
              followed.models[best.value_or(followed.rounds.size())]);
    const bool is_over = validation.patience() > 0 &&
                         chain.without_gain() >= validation.patience();
    EXPECT_EQ(is_over, TrainingIsOver(followed.study, followed.rounds))
        << trial;
    over += is_over;
    tried += chain.tried();
  }
  EXPECT_GT(over, 200);
  EXPECT_GT(2000 - over, 200);
  EXPECT_GT(tried, 1000);
}

}  // namespace
}  // namespace hilum
