// SPDX-License-Identifier: Apache-2.0
// Tests studies with secure aggregation from the first call to the report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "coordinator/federation_core.h"
#include "tests/coordinator/secure_study.h"

namespace hilum {
namespace {

using Shown = v1::SecureStep;
using testing::HasSubstr;
using testing::IsEmpty;

const Shown::ShownCase kSteps[] = {Shown::kAdvertiseKeys, Shown::kRoster,
                                   Shown::kInbox, Shown::kSurvivors,
                                   Shown::kConfirmations};

TEST_F(SecureStudyTest, StudyEndsAsTheSameStudyWithoutMasks) {
  Start();
  Work(kAll);
  EXPECT_TRUE(Site("a").Next().ended().completed());
  const Ended ended = End();
  ExpectSame(ended, EndPlain(kEvaluation));
  EXPECT_EQ(Federated(ended.report)["pooled"]["n"], 80);
  EXPECT_EQ(Federated(ended.report)["pooled"]["mean_loss"], 0.5);
  EXPECT_EQ(Federated(ended.report)["pooled"]["localization"],
            Json({{"n", 32}, {"map_in_lungs", 0.625}, {"lung_share", 0.3125}}));
  EXPECT_EQ(ContributorsOf(ended.report, kRounds), kAll);
}

TEST_F(SecureStudyTest, ValidationIsThatOfTheSameStudyWithoutMasks) {
  MakeStudy = ValidatedStudy;
  Start();
  Work(kAll);
  const Ended ended = End();
  ExpectSame(ended, EndPlain(kEvaluation));
  // Losses grow: the starting weights are the best, and differ from the last.
  EXPECT_NE(ended.best_sha256, ended.global_sha256);
  EXPECT_EQ(TrackOf(ended.report, "final")["model_round"], 0);
  const Json rounds = ended.report["rounds"];
  EXPECT_EQ(rounds[0]["validation_examples"], 3 * 4 * 2);
  EXPECT_NEAR(rounds[0]["validation_loss"].get<double>(), 0.75, 1e-5);
  EXPECT_NEAR(rounds[1]["validation_loss"].get<double>(), 0.875, 1e-5);
}

// The chosen models are of several rounds: the coordinator and each site put
// them together, and a site that differs would refuse the evaluation.
TEST_F(SecureStudyTest, EachTracksChoiceIsThatOfTheSameStudyWithoutMasks) {
  MakeStudy = PatientStudy;
  losses_of_ = CrossingLossesOf;
  Start();
  Work(kAll);
  EXPECT_TRUE(Site("a").Next().ended().completed());
  const Ended ended = End();
  ExpectSame(ended, EndPlain(kEvaluation));
  EXPECT_EQ(TrackOf(ended.report, "fold-1")["model_round"], 0);
  EXPECT_EQ(TrackOf(ended.report, "fold-2")["model_round"], kRounds - 1);
  EXPECT_EQ(TrackOf(ended.report, "final")["model_round"], 1);
  EXPECT_NE(ended.best_sha256, ended.global_sha256);
}

// Site d comes back when the chosen models are of several rounds already.
TEST_F(SecureStudyTest, SiteThatWasAwayFollowsTheChosenModelsToo) {
  constexpr uint32_t kMore = 5;
  MakeStudy = [](bool secure) {
    v1::Study study = PatientStudy(secure);
    study.mutable_training()->set_rounds(kMore);
    return study;
  };
  losses_of_ = CrossingLossesOf;
  Start();
  Work(kAll, Is(2, Shown::kAdvertiseKeys));
  Work({"a", "b", "c"}, Is(kMore, Shown::kAdvertiseKeys));
  Work(kAll);
  EXPECT_TRUE(Site("d").Next().ended().completed());
  const Json report = Report();
  EXPECT_EQ(ContributorsOf(report, 2), Names({"a", "b", "c"}));
  EXPECT_EQ(ContributorsOf(report, kMore), kAll);
  EXPECT_EQ(ToHex(History(Site("d").chain())),
            ToHex(History(Site("a").chain())));
}

TEST_F(SecureStudyTest, ValidationGoesOnWhereARoundsSumIsLost) {
  MakeStudy = ValidatedStudy;
  Start();
  Work(kAll, Is(1, Shown::kConfirmations));
  Work({"a", "b"}, Is(2, Shown::kAdvertiseKeys));
  Open();
  Work(kAll);
  const Json report = Report();
  EXPECT_EQ(report["rounds"][0]["validation_loss"], nullptr);
  EXPECT_EQ(report["rounds"][0]["validation_examples"], 0);
  // Round 2 tried the model after round 1, which became the best: it equals the
  // starting weights.
  EXPECT_EQ(TrackOf(report, "fold-1")["model_round"], 1);
}

TEST_F(SecureStudyTest, VectorWithoutItsValidationIsOfAnotherSize) {
  MakeStudy = ValidatedStudy;
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  const v1::Task task = Site("d").Next().task();
  std::vector<uint32_t> vector = Site("d").VectorFor(task);
  vector.resize(vector.size() - 4);  // one word for each track and for the arm
  EXPECT_EQ(Site("d").Upload(task, vector).status().code(),
            absl::StatusCode::kInvalidArgument);
  Work(kAll);
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
}

TEST_F(SecureStudyTest, NothingOfSingleSitesIsKept) {
  Start();
  Work(kAll);
  const Json report = Report();
  EXPECT_TRUE(Federated(report)["sites"].empty());
  EXPECT_TRUE(report["census"].empty());
  const StoredStudy stored = Stored();
  for (const auto& [site, census] : stored.census) {
    EXPECT_EQ(census.census().arms_size(), 0) << site.name();
    EXPECT_EQ(census.census().rows() + census.census().rejected_rows(), 0u);
  }
  EXPECT_THAT(stored.updates, IsEmpty());
  EXPECT_THAT(stored.evaluations, IsEmpty());
  EXPECT_FALSE(stored.sum.has_value());
  EXPECT_TRUE(stored.census_totals.has_value());
  EXPECT_TRUE(stored.evaluation_totals.has_value());
  EXPECT_THAT(Uploads(), IsEmpty());
}

// Site d answers everything up to a step, and nothing from it on.
class SecureStudyStepTest
    : public SecureStudyTest,
      public testing::WithParamInterface<Shown::ShownCase> {};

INSTANTIATE_TEST_SUITE_P(Steps, SecureStudyStepTest, testing::ValuesIn(kSteps),
                         [](const auto& info) {
                           return absl::StrCat("Step", info.index + 1);
                         });

TEST_P(SecureStudyStepTest, SiteThatVanishesInARoundLeavesTheOthersTheirs) {
  Start();
  Work(kAll, Is(1, GetParam()));
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  const Ended ended = End();
  const bool counts = GetParam() >= Shown::kSurvivors;
  EXPECT_EQ(ContributorsOf(ended.report, 1), counts ? kAll : kThree);
  EXPECT_EQ(ContributorsOf(ended.report, 2), kThree);
  ExpectSame(ended, EndPlain(counts ? 1 : 0));
  EXPECT_THAT(Uploads(), IsEmpty());
}

TEST_P(SecureStudyStepTest, SiteThatVanishesInTheCensusIsOutOfTheStudy) {
  Start();
  Work(kAll, Is(0, GetParam()));
  const bool counts = GetParam() >= Shown::kSurvivors;
  Work(kThree, Is(1, Shown::kAdvertiseKeys));
  EXPECT_EQ(Site("d").Next(0).has_ended(), !counts);
  Open();
  EXPECT_EQ(Site("d").Next(0).has_ended(), !counts);
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(Report()["cohort"]["sites"], counts ? kAll : kThree);
}

TEST_P(SecureStudyStepTest, SiteThatVanishesInTheEvaluationIsNotScored) {
  Start();
  Work(kAll, Is(kEvaluation, GetParam()));
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(Federated(Report())["pooled"]["n"],
            GetParam() >= Shown::kSurvivors ? 80 : 60);
}

TEST_P(SecureStudyStepTest, CoordinatorStartedAnewEndsTheStudyAllTheSame) {
  Start();
  for (uint32_t round : {0u, 1u, kEvaluation}) {
    Work(kAll, Is(round, GetParam()));
    const v1::Task before = Site("a").Next().task();
    Take({"a", "b"});
    Open();
    const v1::Task after = Site("a").Next().task();
    EXPECT_EQ(after.header().round(), round);
    if (GetParam() == Shown::kConfirmations) {
      // The same sum, with the same messages: otherwise no site may go on.
      EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
    } else {
      EXPECT_TRUE(after.secure().has_advertise_keys());
      EXPECT_NE(after.secure().sum_id(), before.secure().sum_id());
    }
  }
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  ExpectSame(End(), EndPlain(kEvaluation));
}

TEST_F(SecureStudyTest, SumLostInUnmaskCostsItsRoundAndChangesNothing) {
  Start();
  Work(kAll, Is(1, Shown::kConfirmations));
  const v1::BlobRef before = Site("a").Next().task().global();
  const At second = Is(2, Shown::kAdvertiseKeys);
  Work({"a", "b"}, second);
  EXPECT_EQ(Site("a").Next().task().global().sha256(), before.sha256());
  Work(kAll);
  const Json report = Report();
  EXPECT_EQ(ContributorsOf(report, 1), Json::array());
  EXPECT_EQ(ContributorsOf(report, 2), kAll);
  core_.reset();
  EXPECT_THAT(Uploads(), IsEmpty());
}

TEST_F(SecureStudyTest, WrongSharesOfTooManyCostTheRound) {
  Start();
  Work(kAll, Is(1, Shown::kConfirmations));
  for (const std::string& name : kAll) {
    v1::SubmitSecureStepRequest said =
        Site(name).Answer(Site(name).Next().task());
    if (name > "b") {
      said.mutable_revealed()->mutable_shares(0)->mutable_share()->front() ^= 1;
    }
    ASSERT_TRUE(Site(name).Send(said).ok());
  }
  Work(kAll);
  EXPECT_EQ(Status().phase(), v1::StudyStatus::COMPLETED);
  EXPECT_EQ(ContributorsOf(Report(), 1), Json::array());
}

// Vectors are not synced to the disk before their record is: a machine that
// loses power may have kept the record only.
TEST_F(SecureStudyTest, VectorsGoneInUnmaskCostTheRoundAndNotTheStudy) {
  Start();
  Work(kAll, Is(1, Shown::kConfirmations));
  Take(kThree);
  core_.reset();
  std::filesystem::remove_all(absl::StrCat(dir_, "/state/uploads"));
  Open();
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(ContributorsOf(Report(), 1), Json::array());
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureStudyTest, VectorsGoneBeforeAnythingIsRevealedCostNothing) {
  Start();
  Work(kAll, Is(kEvaluation, Shown::kConfirmations));
  core_.reset();
  std::filesystem::remove_all(absl::StrCat(dir_, "/state/uploads"));
  Open();
  Work(kAll);
  EXPECT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
}

TEST_F(SecureStudyTest, UnmaskedUpdateIsRefused) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  const v1::Task task = Site("a").Next().task();
  const v1::BlobRef plain =
      Site("a").Upload(task, Site("a").VectorFor(task)).value();
  FakeSite site(*core_, "a", hash_);
  const absl::Status refused = site.SubmitUpdate(task, plain);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("no update unmasked"));
  EXPECT_EQ(Site("a").Next().task().SerializeAsString(),
            task.SerializeAsString());
}

TEST_F(SecureStudyTest, VectorBeforeItsStepIsNotTaken) {
  Start();
  Work(kAll, Is(1, Shown::kRoster));
  const v1::Task task = Site("a").Next().task();
  EXPECT_EQ(Site("a").Upload(task, Site("a").VectorFor(task)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Site("a").Next().task().secure().has_roster());
}

TEST_F(SecureStudyTest, UploadOfAnotherSizePutsThatSiteOutOfTheSumAlone) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  const v1::Task task = Site("d").Next().task();
  std::vector<uint32_t> vector = Site("d").VectorFor(task);
  vector.pop_back();
  EXPECT_EQ(Site("d").Upload(task, vector).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Site("d").Next(0).has_none());
  const absl::Time then = clock_.Now();
  Work(kAll);
  EXPECT_EQ(clock_.Now(), then);  // nobody waited for it
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureStudyTest, VectorNamedWithAnotherSizePutsThatSiteOutLikewise) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  v1::SubmitSecureStepRequest said = Site("d").Answer(Site("d").Next().task());
  said.mutable_masked()->set_size(4);
  EXPECT_EQ(Site("d").Send(said).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Site("d").Next(0).has_none());
  const absl::Time then = clock_.Now();
  Work(kAll);
  EXPECT_EQ(clock_.Now(), then);
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
}

TEST_F(SecureStudyTest, VectorNamedBeforeItIsHereIsNotTaken) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  const v1::Task task = Site("a").Next().task();
  const v1::SubmitSecureStepRequest said = Site("a").Answer(task);
  EXPECT_EQ(Site("a").Send(said).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Site("a").Next().task().secure().has_inbox());
  Take({"a"});
}

TEST_F(SecureStudyTest, EachAnswerMayBeSentTwice) {
  Start();
  for (Shown::ShownCase shown : kSteps) {
    Work(kAll, Is(1, shown));
    const v1::Task task = Site("a").Next().task();
    Take({"a"});
    const absl::Status again = Site("a").Send(Site("a").Answer(task));
    EXPECT_TRUE(again.ok()) << shown << ": " << again;
  }
  Work(kAll);
  EXPECT_EQ(ContributorsOf(Report(), 1), kAll);
}

TEST_F(SecureStudyTest, SecondVectorOfASiteIsNotTaken) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  Take({"a"});
  v1::SubmitSecureStepRequest said = Site("a").Answer(Site("b").Next().task());
  said.mutable_masked()->set_sha256(std::string(32, 'x'));
  EXPECT_EQ(Site("a").Send(said).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SecureStudyTest, SiteThatGaveUpIsBackInTheNextRound) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  FakeSite site(*core_, "d", hash_);
  ASSERT_TRUE(site.SendNoCensus(Site("d").Next().task()).ok());
  Work(kThree, Is(2, Shown::kAdvertiseKeys));
  EXPECT_EQ(Site("d").Next().task().kind(), v1::Task::PREPARE);
  Open();  // a restart keeps it
  EXPECT_EQ(Site("d").Next().task().kind(), v1::Task::PREPARE);
  Take({"d"});
  Work(kAll);
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureStudyTest, PublishedEvaluationIsShownBesideTheSumAndNoAnswerToIt) {
  Start();
  Work(kAll, Is(kEvaluation, Shown::kAdvertiseKeys));
  const v1::Task task = Site("a").Next().task();
  ASSERT_TRUE(FakeSite(*core_, "a", hash_).SendEvaluation(task).ok());
  EXPECT_EQ(Site("a").Next().task().SerializeAsString(),
            task.SerializeAsString());
  Open();
  Work(kAll);
  const Json federated = Federated(Report());
  EXPECT_EQ(federated["pooled"]["n"], 80);
  EXPECT_EQ(federated["sites"]["a"]["n"], 20);
  EXPECT_EQ(federated["sites"].size(), 1u);
}

TEST_F(SecureStudyTest, StudyIsRefusedWithoutTheConsortiumsAuthority) {
  ASSERT_TRUE(TryOpen("").ok());
  const absl::Status refused =
      core_->SubmitStudy(FourSiteStudy(/*secure=*/true), "").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("takes the consortium's authority"));
  EXPECT_THAT(core_->ListStudies(), IsEmpty());
  EXPECT_TRUE(core_->SubmitStudy(FourSiteStudy(/*secure=*/false), "").ok());
}

TEST_F(SecureStudyTest, StudyThatEndsLeavesNoVectorThatNobodyNamed) {
  Start();
  Work(kAll, Is(kEvaluation, Shown::kInbox));
  const v1::Task task = Site("d").Next().task();
  ASSERT_TRUE(Site("d").Upload(task, Site("d").VectorFor(task)).ok());
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED);
  core_.reset();
  EXPECT_THAT(Uploads(), IsEmpty());
}

TEST_F(SecureStudyTest, StudyThatStopsLeavesNoUploads) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  Take({"a", "b"});
  // Some uploads of the census may not be deleted yet.
  EXPECT_THAT(Uploads(), testing::SizeIs(testing::Ge(2)));
  ASSERT_TRUE(core_->StopStudy(hash_).ok());
  core_.reset();
  EXPECT_THAT(Uploads(), IsEmpty());
}

}  // namespace
}  // namespace hilum
