// SPDX-License-Identifier: Apache-2.0
// Studies with secure aggregation: the sums' openings for the sites, and the
// coordinator's records of the sums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/secagg/chain.h"
#include "common/secagg/opening.h"
#include "coordinator/federation_core.h"
#include "tests/coordinator/secure_study.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAreArray;

const v1::SecureStep::ShownCase kSteps[] = {
    v1::SecureStep::kAdvertiseKeys, v1::SecureStep::kRoster,
    v1::SecureStep::kInbox, v1::SecureStep::kSurvivors,
    v1::SecureStep::kConfirmations};

v1::Study LongStudy(bool secure) {
  v1::Study study = FourSiteStudy(secure);
  study.mutable_training()->set_rounds(6);
  return study;
}

class SecureOpeningsTest : public SecureStudyTest {
 protected:
  // Returns hashes (raw) of the files in a folder of the coordinator; names of
  // uploads end in the hash and ".part".
  std::set<std::string> HashesIn(const std::string& folder) const {
    std::set<std::string> hashes;
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(dir_, "/state/", folder))) {
      const std::string stem = entry.path().stem();
      hashes.insert(absl::HexStringToBytes(stem.substr(stem.size() - 64)));
    }
    return hashes;
  }
  v1::SumOpening Opening(const v1::BlobRef& blob) {
    v1::SumOpening opening;
    const auto bytes = Site("a").Fetch(blob.sha256());
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(bytes.value_or("").size(), blob.size());
    EXPECT_TRUE(opening.ParseFromString(bytes.value_or("")));
    return opening;
  }
  SecAggContext ContextOf(const v1::SumOpening& opening) const {
    SecAggContext context{
        .study_hash = hash_,
        .round = opening.round(),
        .question = Question(hash_, opening.round(),
                             static_cast<v1::Task::Kind>(opening.kind()),
                             opening.before())};
    for (const std::string& name : kAll) context.cohort.emplace(name);
    return context;
  }
  ChainStep StepOf(const v1::SumOpening& opening) const {
    return {.round = opening.round(),
            .statement = StatementOf(ContextOf(opening), opening).value(),
            .sum_sha256 = opening.sum().sha256()};
  }
  void ExpectOpens(const v1::SumOpening& opening) const {
    const absl::Status opens =
        CheckOpening(ContextOf(opening), TestVerifier(), opening);
    EXPECT_TRUE(opens.ok()) << opens;
  }
  // Returns the vectors of the last sum by site.
  std::map<std::string, v1::BlobRef> Vectors(const v1::SumOpening& opening) {
    std::map<std::string, v1::BlobRef> vectors;
    for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
      vectors[survivor.site()] = survivor.vector();
    }
    return vectors;
  }
  void ExpectServed(const std::map<std::string, v1::BlobRef>& vectors) {
    for (const auto& [name, vector] : vectors) {
      const auto bytes = Site("b").Fetch(vector.sha256());
      ASSERT_TRUE(bytes.ok()) << name << ": " << bytes.status();
      EXPECT_EQ(ToHex(Sha256Of(*bytes)), ToHex(vector.sha256())) << name;
    }
  }
  // Returns the open task of a site that is waited for.
  v1::Task Next() { return Site("a").Next().task(); }
};

TEST_F(SecureOpeningsTest, SitesFetchWhatTheyFollowTheSumsByAndNothingElse) {
  MakeStudy = ValidatedStudy;  // losses grow in it: the first is the best
  Start();
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  const v1::Task first = Next();
  const auto vectors_of_census = Vectors(Opening(first.last_opening()));
  Work(kAll, Is(2, Shown::kInbox));
  const v1::Task task = Next();
  ASSERT_NE(task.global().sha256(), first.global().sha256());
  const v1::SumOpening census = Opening(task.census_opening());
  const v1::SumOpening last = Opening(task.last_opening());
  Take({"b", "c"});  // nobody may fetch the vectors of an open sum

  std::set<std::string> served = {study_.initial_weights_sha256(),
                                  task.global().sha256(),
                                  first.global().sha256(),
                                  task.census_opening().sha256(),
                                  task.last_opening().sha256(),
                                  census.sum().sha256(),
                                  last.sum().sha256()};
  for (const auto& [name, vector] : Vectors(last)) {
    served.insert(vector.sha256());
  }
  EXPECT_EQ(served.size(), 7u + kAll.size());
  std::set<std::string> here = HashesIn("blobs");
  here.merge(HashesIn("uploads"));
  for (const auto& [name, vector] : vectors_of_census) {
    here.insert(vector.sha256());
  }
  EXPECT_GT(here.size(), served.size());
  std::set<std::string> fetched;
  for (const std::string& sha256 : here) {
    if (Site("a").Fetch(sha256).ok()) fetched.insert(sha256);
  }
  EXPECT_EQ(fetched, served);
}

TEST_F(SecureOpeningsTest, VectorsOfASumAreKeptUntilTheNextOneIsIn) {
  Start();
  Work(kAll, Is(2, Shown::kInbox));
  const auto first = Vectors(Opening(Next().last_opening()));
  ASSERT_EQ(first.size(), kAll.size());
  Take({"a", "b"});
  ExpectServed(first);
  Open();
  ExpectServed(first);
  Work(kAll, Is(2, Shown::kConfirmations));
  ExpectServed(first);
  Work(kAll, Is(kEvaluation, Shown::kAdvertiseKeys));
  for (const auto& [name, vector] : first) {
    EXPECT_EQ(Site("a").Fetch(vector.sha256()).status().code(),
              absl::StatusCode::kNotFound)
        << name;
  }
  const auto second = Vectors(Opening(Next().last_opening()));
  ExpectServed(second);
  core_.reset();  // removes obsolete files
  std::set<std::string> kept;
  for (const auto& [name, vector] : second) kept.insert(vector.sha256());
  EXPECT_EQ(HashesIn("uploads"), kept);
}

// Fetching opens files of sites that are sending at this moment.
TEST_F(SecureOpeningsTest, FetchingAVectorAfterARestartCostsTheOpenSumNothing) {
  Start();
  Work(kAll, Is(2, Shown::kConfirmations));
  const auto first = Vectors(Opening(Next().last_opening()));
  Open();
  ExpectServed(first);
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureOpeningsTest, NothingOfAnEndedStudysVectorsIsFetchedOrMade) {
  Start();
  Work(kAll, Is(kEvaluation, Shown::kAdvertiseKeys));
  const auto vectors = Vectors(Opening(Next().last_opening()));
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED);
  for (const auto& [name, vector] : vectors) {
    EXPECT_FALSE(Site("a").Fetch(vector.sha256()).ok()) << name;
  }
  core_.reset();
  EXPECT_THAT(Uploads(), IsEmpty());
}

TEST_F(SecureOpeningsTest, EachOpeningVerifiesAndFollowsFromTheOneBefore) {
  MakeStudy = ValidatedStudy;
  Start();
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  v1::Task task = Next();
  const v1::SumOpening census = Opening(task.census_opening());
  EXPECT_EQ(task.last_opening().sha256(), task.census_opening().sha256());
  ExpectOpens(census);
  const v1::StudyChain start = FirstChain(hash_, task.global().sha256());
  EXPECT_EQ(ToHex(History(census.before())), ToHex(History(start)));
  std::vector<uint32_t> words(static_cast<size_t>(CensusVectorSize(study_)));
  for (const std::string& name : kAll) {
    AddWords(EncodeCensus(study_, Site(name).census).value(),
             absl::MakeSpan(words));
  }
  v1::StudyChain chain =
      AfterCensus(start, StepOf(census), DigestOfWords(words));
  EXPECT_EQ(ToHex(History(census.after())), ToHex(History(chain)));

  for (uint32_t round = 1; round <= kRounds; ++round) {
    Work(kAll, Is(round + 1, Shown::kAdvertiseKeys));
    task = Next();
    const v1::SumOpening last = Opening(task.last_opening());
    EXPECT_EQ(last.round(), round);
    ExpectOpens(last);
    EXPECT_EQ(ToHex(History(last.before())), ToHex(History(chain)));
    const v1::StudyChain& after = last.after();
    // Mean of four sites with equally many cases.
    const double loss = 0.25 * (1 + 2 + 3 + 4) / 4 + 0.125 * round;
    ASSERT_EQ(after.choices_size(), 3);
    for (const v1::TrackChoice& choice : after.choices()) {
      EXPECT_NEAR(choice.best_loss(), 0.75, 1e-5);
      EXPECT_EQ(choice.without_gain(), round - 1) << loss;
    }
    EXPECT_EQ(after.best_sha256(), start.model_sha256());
    if (round < kRounds) {
      EXPECT_EQ(after.model_sha256(), task.global().sha256());
    } else {
      EXPECT_EQ(after.best_sha256(), task.global().sha256());
    }
    TrackChoices choices = chain.choices();
    Choose(study_, round,
           std::vector<double>(
               3, round == 1 ? after.choices(0).best_loss() : loss),
           choices);
    chain = AfterTraining(chain, StepOf(last),
                          {.model_sha256 = after.model_sha256(),
                           .best_sha256 = after.best_sha256(),
                           .choices = choices});
    EXPECT_EQ(ToHex(History(after)), ToHex(History(chain)));
  }
}

TEST_F(SecureOpeningsTest, ChainOfTheSitesIsThatOfTheCoordinator) {
  Start();
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  const StoredStudy stored = Stored();
  EXPECT_EQ(stored.sums->round(), kRounds);
  for (const std::string& name : kAll) {
    EXPECT_EQ(ToHex(History(Site(name).chain())),
              ToHex(History(stored.sums->chain())))
        << name;
  }
}

class SecureOpeningsStepTest
    : public SecureOpeningsTest,
      public testing::WithParamInterface<v1::SecureStep::ShownCase> {};

INSTANTIATE_TEST_SUITE_P(Steps, SecureOpeningsStepTest,
                         testing::ValuesIn(kSteps), [](const auto& info) {
                           return absl::StrCat("Step", info.index + 1);
                         });

TEST_P(SecureOpeningsStepTest, CoordinatorStartedAnewGoesOnFromTheSameSum) {
  Start();
  for (uint32_t round = 1; round <= kEvaluation; ++round) {
    Work(kAll, Is(round, GetParam()));
    const v1::Task before = Next();
    const v1::SumOpening last = Opening(before.last_opening());
    Take({"a", "b"});
    Open();
    const v1::Task after = Next();
    EXPECT_EQ(ToHex(after.census_opening().sha256()),
              ToHex(before.census_opening().sha256()));
    EXPECT_EQ(ToHex(after.last_opening().sha256()),
              ToHex(before.last_opening().sha256()));
    EXPECT_EQ(after.global().sha256(), before.global().sha256());
    ExpectServed(Vectors(last));
  }
  // Sites compare their questions: another chain would stop the study here.
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_THAT(Log(), Not(HasSubstr("another question")));
}

TEST_F(SecureOpeningsTest, OpeningsAndSumsOfEarlierRoundsAreRemoved) {
  Start();
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  const std::string start = Next().global().sha256();
  Work(kAll, Is(kEvaluation, Shown::kAdvertiseKeys));
  const v1::Task task = Next();
  const v1::SumOpening census = Opening(task.census_opening());
  const v1::SumOpening last = Opening(task.last_opening());
  const StoredStudy stored = Stored();  // removes obsolete files
  EXPECT_THAT(HashesIn("blobs"),
              UnorderedElementsAreArray(
                  {study_.initial_weights_sha256(), stored.frozen.sha256(),
                   task.global().sha256(), task.census_opening().sha256(),
                   task.last_opening().sha256(), census.sum().sha256(),
                   last.sum().sha256()}));
  EXPECT_NE(start, task.global().sha256());
}

TEST_F(SecureOpeningsTest, RoundOfTooFewSitesCountsAsLostAndTheStudyGoesOn) {
  Start();
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  const v1::Task before = Next();
  Work({"a", "b"}, Is(2, Shown::kAdvertiseKeys));
  const v1::Task after = Next();
  EXPECT_EQ(after.global().sha256(), before.global().sha256());
  EXPECT_EQ(after.last_opening().sha256(), before.last_opening().sha256());
  ExpectServed(Vectors(Opening(after.last_opening())));
  EXPECT_THAT(Log(), HasSubstr("round 1 changes nothing: its masked sum was "
                               "lost before it began: 2 of at least 3"));
  Open();
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(ContributorsOf(Report(), 1), Json::array());
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureOpeningsTest, ThirdRoundOfTooFewSitesStopsTheStudyByName) {
  MakeStudy = LongStudy;
  Start();
  Work(kAll, Is(2, Shown::kAdvertiseKeys));
  Work({"a", "b"});
  EXPECT_EQ(Status().phase(), v1::StudyStatus::STOPPED);
  EXPECT_EQ(Stored().rounds.size(), 3u);
  EXPECT_THAT(Stored().reason, HasSubstr("round 4"));
  EXPECT_THAT(Stored().reason, HasSubstr("d: no answer by the deadline"));
}

TEST_F(SecureOpeningsTest, SiteWithAnotherQuestionIsOutOfThatSumByName) {
  Start();
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  v1::SubmitSecureStepRequest said = Site("d").Answer(Next());
  said.mutable_keys()->set_question(std::string(32, 'o'));
  const absl::Status refused = Site("d").Send(said);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Log(), HasSubstr("d is out of its masked sum: secure "
                               "aggregation: d takes itself to be asked "
                               "another question"));
  EXPECT_TRUE(Site("d").Next(0).has_none());
  const absl::Time then = clock_.Now();
  Work(kAll);
  EXPECT_EQ(clock_.Now(), then);  // nobody waited for it
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureOpeningsTest, SiteThatWasAwayForRoundsTakesUpTheOthersChain) {
  MakeStudy = LongStudy;
  Start();
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  Work(kThree, Is(4, Shown::kAdvertiseKeys));
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(ContributorsOf(Report(), 3), kThree);
  EXPECT_EQ(ContributorsOf(Report(), 4), kAll);
  EXPECT_EQ(ToHex(History(Site("d").chain())),
            ToHex(History(Site("a").chain())));
}

TEST_F(SecureOpeningsTest, OperatorIsToldOfCellsThatSitesWillRefuse) {
  Start();
  for (const std::string& name : kAll) {
    for (uint64_t& patients :
         *Site(name).census.mutable_arms(0)->mutable_fold_class_patients()) {
      patients = 2;
    }
  }
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  EXPECT_THAT(
      Log(),
      HasSubstr("study tiny: the cohort has too few patients in a cell: 8 of "
                "class sick in fold 1 of arm whole, fewer than 10"));
  EXPECT_THAT(Log(),
              HasSubstr("sites with the default policy will refuse to train"));
}

TEST_F(SecureOpeningsTest, OperatorIsToldNothingOfCellsThatAreLargeEnough) {
  Start();
  Work(kAll, Is(1, Shown::kAdvertiseKeys));
  EXPECT_THAT(Log(), Not(HasSubstr("will refuse")));
}

}  // namespace
}  // namespace hilum
