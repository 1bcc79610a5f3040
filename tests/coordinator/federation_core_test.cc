// SPDX-License-Identifier: Apache-2.0
#include "coordinator/federation_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/census.h"
#include "common/config/cohort_rules.h"
#include "common/crypto/sha256.h"
#include "tests/coordinator/core_at_work.h"

namespace hilum {
namespace {

TEST_F(FederationCoreTest, WholeStudyEndsInAReportWithItsKeys) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  for (int round = 1; round <= 2; ++round) {
    v1::Task task = a.Next().task();
    EXPECT_EQ(task.header().round(), static_cast<uint32_t>(round));
    EXPECT_EQ(task.census().sites_size(), 2);
    ASSERT_TRUE(a.SendUpdate(task, Delta(0.5f)).ok());
    ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(-0.25f)).ok());
  }
  ASSERT_TRUE(a.SendEvaluation(a.Next().task()).ok());
  ASSERT_TRUE(b.SendEvaluation(b.Next().task()).ok());
  EXPECT_TRUE(a.Next().ended().completed());

  std::string out = absl::StrCat(dir_, "/out");
  auto files = core_->ExportStudy(hash_, out);
  ASSERT_TRUE(files.ok()) << files.status();
  auto report = nlohmann::json::parse(*ReadFile(out + "/report.json"));
  const auto& arm = report["arms"]["whole"]["federated"];
  EXPECT_EQ(arm["pooled"]["accuracy"], 28.0 / 40);
  EXPECT_EQ(arm["pooled"]["confusion"][0][1], 4);
  EXPECT_EQ(arm["pooled"]["per_class"]["sick"]["auc"], 1.0);
  EXPECT_EQ(arm["sites"]["a"]["n"], 20);
  EXPECT_EQ(arm["sites"]["a"]["localization"]["n"], 8);
  EXPECT_EQ(arm["tracks"]["final"]["model_sha256"],
            ToHex(Sha256Of(*ReadFile(out + "/model/whole-final.safetensors"))));
}

TEST_F(FederationCoreTest, SecondOneOnTheStateFolderIsRefused) {
  absl::Status second =
      FederationCore::Open({.state_dir = dir_}, RealClock()).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), testing::HasSubstr(dir_));
  EXPECT_THAT(std::string(second.message()),
              testing::HasSubstr("another hilum-coordinator"));
  Open();  // the first one releases the lock at its end
  EXPECT_EQ(core_->ListStudies().size(), 1u);
}

TEST_F(FederationCoreTest, GlobalModelMovesByTheWeightedMean) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  v1::Task task = a.Next().task();
  // Each site has 20 cases in two folds and classes; the last track is final.
  EXPECT_THAT(TrackExamples(study_, task.census()),
              testing::ElementsAre(20, 20, 40));
  const std::string before = Global(task);
  ASSERT_TRUE(a.SendUpdate(task, Delta(0.5f)).ok());
  ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(-0.25f)).ok());
  const std::string after = Global(a.Next().task());
  ASSERT_EQ(after.size(), before.size());
  const auto* was = reinterpret_cast<const float*>(before.data());
  const auto* is = reinterpret_cast<const float*>(after.data());
  for (size_t i = 0; i < before.size() / sizeof(float); i += 100) {
    ASSERT_EQ(is[i], was[i] + 0.125f) << i;
  }
  EXPECT_EQ(core_->StatusOf(hash_)->mean_loss(), 0.5);
}

TEST_F(FederationCoreTest, UpdateOfAnotherLengthIsRefusedAndTheRoundGoesOn) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  v1::Task task = b.Next().task();
  for (size_t size : {Delta(0).size(), Delta(0).size() + 7}) {
    EXPECT_EQ(b.Upload(task, std::vector<uint32_t>(size)).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
  EXPECT_EQ(a.Next().task().header().round(), 2u);
  EXPECT_EQ(b.Next().task().header().round(), 2u);
}

TEST_F(FederationCoreTest, SumOfMoreExamplesThanTheCohortHasEndsTheStudy) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  v1::Task task = a.Next().task();
  std::vector<uint32_t> vector = a.Encode(task, Delta(0.5f));
  vector[vector.size() - 3] = 31;  // for the second track, besides b's 10
  ASSERT_TRUE(a.SubmitUpdate(task, *a.Upload(task, vector)).ok());
  ASSERT_TRUE(b.SendUpdate(task, Delta(0.5f)).ok());
  v1::StudyEnded ended = a.Next().ended();
  EXPECT_FALSE(ended.completed());
  EXPECT_THAT(ended.reason(),
              testing::HasSubstr("round 1: the updates' sum has 41 examples of "
                                 "track 1, the whole cohort has 20"));
  Open();
  EXPECT_EQ(core_->StatusOf(hash_)->phase(), v1::StudyStatus::STOPPED);
}

TEST_F(FederationCoreTest, SiteWithAnotherNetworkIsOutOfTheStudy) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  absl::Status status = b.SendCensus(std::string(32, 'x'), b.Next().task());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  v1::NextTaskResponse next = b.Next(0);
  EXPECT_TRUE(next.has_ended());
  EXPECT_THAT(next.ended().reason(), testing::HasSubstr("tensor manifest"));
  ASSERT_TRUE(a.SendCensus(layout_.manifest_sha256, a.Next().task()).ok());
  EXPECT_EQ(a.Next().task().kind(), v1::Task::TRAIN);
}

TEST_F(FederationCoreTest, StrangersAndUnknownStudiesAreTurnedAway) {
  v1::SubmitCensusRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  request.mutable_header()->set_study_hash(hash_);
  EXPECT_EQ(core_->SubmitCensus(SiteId("c"), request).status().code(),
            absl::StatusCode::kPermissionDenied);
  request.mutable_header()->set_study_hash(std::string(32, 'x'));
  EXPECT_EQ(core_->SubmitCensus(SiteId("a"), request).status().code(),
            absl::StatusCode::kNotFound);
  request.mutable_header()->set_protocol_version(99);
  EXPECT_EQ(core_->SubmitCensus(SiteId("a"), request).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(FederationCoreTest, RestartInTheMiddleOfARoundKeepsWhatWasIn) {
  {
    FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
    Prepare(a, b);
    ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
  }
  Open();
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  EXPECT_TRUE(a.Next(0).has_none());
  ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(0.5f)).ok());
  v1::Task task = a.Next().task();
  EXPECT_EQ(task.header().round(), 2u);
  Open();
  FakeSite again(*core_, "a", hash_);
  EXPECT_EQ(again.Next().task().global().sha256(), task.global().sha256());
}

TEST_F(FederationCoreTest, RoundsCommittedCountEvenIfThePhaseWasNotStored) {
  {
    FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
    Prepare(a, b);
    ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
    ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(0.5f)).ok());
    EXPECT_EQ(a.Next().task().header().round(), 2u);
  }
  core_.reset();
  // The disk was full when training began, so the phase is an old one.
  ASSERT_TRUE((*Storage::Open(absl::StrCat(dir_, "/coordinator.db")))
                  ->SetPhase(hash_, v1::StudyStatus::PREPARING, "")
                  .ok());
  Open();
  FakeSite a(*core_, "a", hash_);
  EXPECT_EQ(a.Next().task().header().round(), 2u);
}

TEST_F(FederationCoreTest,
       StudyOfAnotherVersionDoesNotKeepTheOthersFromGoingOn) {
  core_.reset();
  {
    auto storage = Storage::Open(dir_ + "/coordinator.db");
    ASSERT_TRUE(storage.ok()) << storage.status();
    ASSERT_TRUE((*storage)
                    ->AddStudy({.hash = std::string(32, 'h'),
                                .study = SerializeStudy(v1::Study())})
                    .ok());
  }
  Open();
  ASSERT_EQ(core_->ListStudies().size(), 1u);
  EXPECT_EQ(core_->ListStudies()[0].study_hash(), hash_);
}

TEST_F(FederationCoreTest, LongPollWakesWhenThereIsSomethingToDo) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  ASSERT_TRUE(a.SendCensus(layout_.manifest_sha256, a.Next().task()).ok());
  v1::NextTaskResponse woken;
  std::thread waiting([&] { woken = a.Next(3600000); });
  ASSERT_TRUE(b.SendCensus(layout_.manifest_sha256, b.Next().task()).ok());
  waiting.join();
  EXPECT_EQ(woken.task().kind(), v1::Task::TRAIN);
}

TEST_F(FederationCoreTest, SiteUnableToEvaluateIsNotWaitedFor) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
    ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(0.5f)).ok());
  }
  ASSERT_TRUE(b.SendNoEvaluation(b.Next().task()).ok());
  EXPECT_TRUE(b.Next(0).has_none());
  ASSERT_TRUE(a.SendEvaluation(a.Next().task()).ok());
  EXPECT_TRUE(a.Next().ended().completed());
  std::string out = absl::StrCat(dir_, "/out");
  ASSERT_TRUE(core_->ExportStudy(hash_, out).ok());
  auto report = nlohmann::json::parse(*ReadFile(out + "/report.json"));
  const auto& federated = report["arms"]["whole"]["federated"];
  EXPECT_EQ(federated["sites"]["a"]["n"], 20);
  EXPECT_FALSE(federated["sites"].contains("b"));
}

TEST_F(FederationCoreTest, StudyNobodyCanEvaluateStopsAndNamesTheSites) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
    ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(0.5f)).ok());
  }
  ASSERT_TRUE(a.SendNoEvaluation(a.Next().task()).ok());
  ASSERT_TRUE(b.SendNoEvaluation(b.Next().task()).ok());
  v1::StudyEnded ended = a.Next().ended();
  EXPECT_FALSE(ended.completed());
  EXPECT_THAT(ended.reason(), testing::HasSubstr("b: could not evaluate"));
}

TEST_F(FederationCoreTest, UnableSiteIsWaitedForInPreparationAndMayComeLater) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  const v1::Task unable = b.Next().task();
  ASSERT_TRUE(b.SendNoCensus(unable).ok());
  ASSERT_TRUE(a.SendCensus(layout_.manifest_sha256, a.Next().task()).ok());
  clock_.Advance(absl::Hours(1));
  // An answer wakes the core; the fake clock alone does not.
  ASSERT_TRUE(b.SendNoCensus(unable).ok());
  v1::Task train = a.Next().task();
  EXPECT_EQ(train.kind(), v1::Task::TRAIN);
  v1::Task prepare = b.Next().task();
  EXPECT_EQ(prepare.kind(), v1::Task::PREPARE);
  ASSERT_TRUE(b.SendCensus(layout_.manifest_sha256, prepare).ok());
  EXPECT_TRUE(b.Next(0).has_none());
  ASSERT_TRUE(a.SendUpdate(train, Delta(0.5f)).ok());
  EXPECT_EQ(a.Next().task().header().round(), 2u);
  EXPECT_EQ(b.Next().task().header().round(), 2u);
}

// Weights are shares of the cohort: a site that comes during a round must not
// change them for the others, not even through a restart.
TEST_F(FederationCoreTest, CohortOfARoundStaysAsItWasWhenItOpened) {
  {
    FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
    const v1::Task prepare = b.Next().task();
    ASSERT_TRUE(b.SendNoCensus(prepare).ok());
    ASSERT_TRUE(a.SendCensus(layout_.manifest_sha256, a.Next().task()).ok());
    clock_.Advance(absl::Hours(1));  // preparation waits for b so long
    // An answer wakes the core; the fake clock alone does not.
    ASSERT_TRUE(b.SendNoCensus(prepare).ok());
    EXPECT_EQ(a.Next().task().kind(), v1::Task::TRAIN);
    ASSERT_TRUE(b.SendCensus(layout_.manifest_sha256, b.Next().task()).ok());
  }
  for (bool restarted : {false, true}) {
    if (restarted) Open();
    FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
    v1::Task task = a.Next().task();
    EXPECT_THAT(task.census().sites(), testing::ElementsAre("a"));
    EXPECT_THAT(TrackExamples(study_, task.census()),
                testing::ElementsAre(10, 10, 20));
    EXPECT_TRUE(b.Next(0).has_none());
    EXPECT_EQ(b.Upload(task, b.Encode(task, Delta(0))).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
  FakeSite a(*core_, "a", hash_);
  ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
  const v1::CensusTotals next = a.Next().task().census();
  EXPECT_THAT(next.sites(), testing::ElementsAre("a", "b"));
  EXPECT_THAT(TrackExamples(study_, next), testing::ElementsAre(20, 20, 40));
}

TEST_F(FederationCoreTest, TasksTellWhatTheCohortHasInSumAndNoFingerprint) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  EXPECT_FALSE(a.Next().task().has_census());
  Prepare(a, b);
  for (v1::Task::Kind kind :
       {v1::Task::TRAIN, v1::Task::TRAIN, v1::Task::EVALUATE}) {
    const v1::Task task = a.Next().task();
    EXPECT_EQ(task.kind(), kind);
    EXPECT_TRUE(CheckTotalsShape(study_, task.census()).ok());
    ASSERT_EQ(task.census().arms_size(), 1);
    const v1::ArmCensus& arm = task.census().arms(0);
    EXPECT_THAT(arm.fold_class_counts(), testing::Each(10));
    EXPECT_THAT(arm.fold_class_patients(), testing::Each(10));
    EXPECT_FALSE(arm.has_fingerprint());
    EXPECT_FALSE(task.has_census_opening() || task.has_last_opening());
    if (kind == v1::Task::EVALUATE) continue;
    ASSERT_TRUE(a.SendUpdate(task, Delta(0.5f)).ok());
    ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(0.5f)).ok());
  }
}

TEST_F(FederationCoreTest, StudyOfAnOlderProtocolGoesOnOnlyIfItHasEnded) {
  core_.reset();
  {
    auto storage = Storage::Open(dir_ + "/coordinator.db").value();
    StoredStudy stored = storage->LoadStudies().value().at(0);
    v1::Study study = ParseStudy(stored.study).value();
    study.set_protocol_version(5);
    stored.study = SerializeStudy(study);
    stored.hash = std::string(32, 'o');
    stored.phase = v1::StudyStatus::TRAINING;
    ASSERT_TRUE(storage->AddStudy(stored).ok());
    stored.hash = std::string(32, 'e');
    stored.phase = v1::StudyStatus::COMPLETED;
    ASSERT_TRUE(storage->AddStudy(stored).ok());
  }
  std::string log;
  core_ = FederationCore::Open(
              {.state_dir = dir_,
               .log = [&](auto line) { absl::StrAppend(&log, line, "\n"); }},
              RealClock())
              .value();
  ASSERT_EQ(core_->ListStudies().size(), 2u);
  EXPECT_EQ(core_->ListStudies()[1].study_hash(), std::string(32, 'e'));
  EXPECT_THAT(log, testing::HasSubstr(
                       "begun with protocol 5, whose censuses say less; end it "
                       "with the release that began it"));
  core_.reset();  // its log ends with this test
}

TEST_F(FederationCoreTest, SiteThatGivesUpLaterIsNotWaitedForEither) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  ASSERT_TRUE(b.SendNoCensus(b.Next().task()).ok());
  for (int round = 1; round <= 2; ++round) {
    v1::Task task = a.Next().task();
    EXPECT_EQ(task.header().round(), static_cast<uint32_t>(round));
    ASSERT_TRUE(a.SendUpdate(task, Delta(0.5f)).ok());
  }
  EXPECT_EQ(a.Next().task().kind(), v1::Task::EVALUATE);
}

TEST_F(FederationCoreTest, SiteThatGaveUpIsRememberedAfterARestart) {
  {
    FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
    Prepare(a, b);
    ASSERT_TRUE(
        b.SendNoCensus(b.Next().task(), v1::UNABLE_REASON_MANIFEST).ok());
  }
  Open();
  ASSERT_EQ(core_->StatusOf(hash_)->unable_size(), 1);
  EXPECT_THAT(core_->StatusOf(hash_)->unable(0).reason(),
              testing::HasSubstr("case manifest"));
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
  EXPECT_EQ(a.Next().task().header().round(), 2u);
  ASSERT_TRUE(b.SendCensus(layout_.manifest_sha256, b.Next().task()).ok());
  Open();
  FakeSite again(*core_, "b", hash_);
  EXPECT_EQ(again.Next().task().kind(), v1::Task::TRAIN);
}

}  // namespace
}  // namespace hilum
