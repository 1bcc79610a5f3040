// SPDX-License-Identifier: Apache-2.0
// The state of a study's sums, which sites and the coordinator compute
// independently.
#include "common/secagg/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/secagg/context.h"

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
  chain.add_choices();
  v1::TrackChoice& choice = *chain.add_choices();
  choice.set_tried(true);
  choice.set_best_round(1);
  choice.set_best_loss(0.5);
  choice.set_to_beat(0.625);
  choice.set_without_gain(2);
  choice.set_stopped_after(3);
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
      [](v1::StudyChain& c) { c.add_choices(); },
      [](v1::StudyChain& c) { c.set_optimizer_sha256(std::string(32, 'o')); }};
}

using ChoiceChange = std::function<void(v1::TrackChoice&)>;

// Returns one change of each field of a track's choice.
std::vector<ChoiceChange> ChoiceChanges() {
  return {[](v1::TrackChoice& c) { c.set_tried(false); },
          [](v1::TrackChoice& c) { c.set_best_round(2); },
          [](v1::TrackChoice& c) { c.set_best_loss(std::nextafter(0.5, 1)); },
          [](v1::TrackChoice& c) { c.set_to_beat(std::nextafter(0.625, 1)); },
          [](v1::TrackChoice& c) { c.set_without_gain(3); },
          [](v1::TrackChoice& c) { c.set_stopped_after(0); }};
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

TEST(ChainTest, HistoryChangesWithEachFieldOfATracksChoice) {
  const std::vector<ChoiceChange> changes = ChoiceChanges();
  ASSERT_EQ(static_cast<int>(changes.size()),
            v1::TrackChoice::descriptor()->field_count());
  std::set<std::string> histories = {History(SomeChain())};
  for (const ChoiceChange& change : changes) {
    v1::StudyChain chain = SomeChain();
    change(*chain.mutable_choices(1));
    histories.insert(History(chain));
  }
  v1::StudyChain swapped = SomeChain();
  swapped.mutable_choices()->SwapElements(0, 1);
  histories.insert(History(swapped));
  EXPECT_EQ(histories.size(), changes.size() + 2);
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
  const std::string none = Sha256Of(part("") + part("0") + part("0") +
                                    part("0") + part("0") + part("0"));
  const std::string choice =
      Sha256Of(part("tried") + part("1") +
               part("4602678819172646912") +  // 0x3fe0000000000000: 0.5
               part("4603804719079489536") +  // 0x3fe4000000000000: 0.625
               part("2") + part("3"));
  const std::string history = Sha256Of(
      part("hilum history v2") + part(c.previous()) + part("3") +
      part(c.statement()) + part(c.sum_sha256()) + part(c.census_sha256()) +
      part(c.model_sha256()) + part(c.best_sha256()) + part(none + choice));
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
  chain.mutable_choices(1)->set_tried(false);
  EXPECT_EQ(ModelOf(chain, v1::Task::EVALUATE), chain.model_sha256());
}

TEST(ChainTest, FirstStateIsOfTheStudyAndTheStartingWeights) {
  const std::string start(32, 'm');
  const v1::StudyChain chain = FirstChain(kStudy, start);
  EXPECT_EQ(chain.model_sha256(), start);
  EXPECT_TRUE(chain.choices().empty());
  EXPECT_EQ(ModelOf(chain, v1::Task::EVALUATE), start);
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
  const v1::StudyChain trained =
      AfterTraining(census, Step(1),
                    {.model_sha256 = std::string(32, 'n'),
                     .best_sha256 = std::string(32, 'b'),
                     .choices = SomeChain().choices()});
  EXPECT_EQ(trained.previous(), History(census));
  EXPECT_EQ(trained.round(), 1u);
  EXPECT_EQ(trained.model_sha256(), std::string(32, 'n'));
  EXPECT_EQ(trained.census_sha256(), census.census_sha256());
  EXPECT_EQ(trained.best_sha256(), std::string(32, 'b'));
  EXPECT_EQ(trained.choices_size(), 2);
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

}  // namespace
}  // namespace hilum
