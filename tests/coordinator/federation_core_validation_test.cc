// SPDX-License-Identifier: Apache-2.0
// Tests studies that validate from the first call to the export.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/weights_file.h"
#include "coordinator/federation_core.h"
#include "tests/coordinator/fake_site.h"
#include "tests/coordinator/late_clock.h"

namespace hilum {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr uint32_t kRounds = 6;

class ValidatedCoreTest : public testing::Test {
 protected:
  ValidatedCoreTest()
      : dir_(absl::StrCat(
            testing::TempDir(), "/validated-", getpid(), "-",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(dir_);
    study_.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
    v1::Training& training = *study_.mutable_training();
    training.set_rounds(kRounds);
    training.mutable_validation()->set_share(0.2);
    training.mutable_validation()->set_patience(2);
  }
  ~ValidatedCoreTest() override {
    core_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Open() {
    core_.reset();
    auto core = FederationCore::Open({.state_dir = dir_}, clock_);
    ASSERT_TRUE(core.ok()) << core.status();
    core_ = *std::move(core);
  }
  void Start() {
    Open();
    hash_ = core_->SubmitStudy(study_, "").value();
    for (const char* name : {"a", "b"}) {
      FakeSite site = Site(name);
      site.validation_loss = 0;
      ASSERT_TRUE(site.SendCensus(StudyLayout(study_)->manifest_sha256,
                                  site.Next().task())
                      .ok());
    }
  }
  FakeSite Site(const char* name) { return FakeSite(*core_, name, hash_); }

  // Runs a round of both sites; NaN: neither has validation cases.
  void Round(uint32_t round, double loss, bool restart = false) {
    Round(round, std::vector<double>{loss, loss, loss}, restart);
  }
  // The same with a loss of each track.
  void Round(uint32_t round, const std::vector<double>& losses,
             bool restart = false) {
    for (const char* name : {"a", "b"}) {
      FakeSite site = Site(name);
      const v1::Task task = site.Next().task();
      ASSERT_EQ(task.kind(), v1::Task::TRAIN);
      ASSERT_EQ(task.header().round(), round);
      globals_.resize(round - 1);
      globals_.push_back(task.global().sha256());
      site.validation_loss = 0;
      site.track_losses = losses;
      const std::vector<uint32_t> vector = site.Encode(task, Delta(round));
      ASSERT_TRUE(
          site.SubmitUpdate(task, site.Upload(task, vector).value()).ok());
      if (restart) Open();
    }
  }
  std::vector<float> Delta(uint32_t round) const {
    const ParameterLayout layout = StudyLayout(study_).value();
    return std::vector<float>(static_cast<size_t>(layout.travelling_size) * 3,
                              0.01f * static_cast<float>(round));
  }

  // Evaluates, and checks the model by the round after which it came.
  void Evaluate(uint32_t model_round) {
    for (const char* name : {"a", "b"}) {
      FakeSite site = Site(name);
      const v1::Task task = site.Next().task();
      ASSERT_EQ(task.kind(), v1::Task::EVALUATE);
      EXPECT_EQ(task.header().round(), kRounds + 1);
      EXPECT_EQ(ToHex(task.global().sha256()), ToHex(globals_.at(model_round)));
      EXPECT_TRUE(Fetches(task));
      ASSERT_TRUE(site.SendEvaluation(task).ok());
    }
    EXPECT_TRUE(Site("a").Next().ended().completed());
  }
  bool Fetches(const v1::Task& task) {
    v1::FetchBlobRequest request;
    *request.mutable_header() = task.header();
    request.set_sha256(task.global().sha256());
    request.set_max_bytes(16);
    return core_->FetchBlob(SiteId("a"), request).ok();
  }
  bool HasBlob(size_t round) const {
    return FileExists(absl::StrCat(dir_, "/blobs/", ToHex(globals_.at(round))));
  }
  std::string Out(const std::string& file) const {
    return absl::StrCat(dir_, "/out/", file);
  }
  json Export() {
    auto files = core_->ExportStudy(hash_, Out(""));
    EXPECT_TRUE(files.ok()) << files.status();
    if (!files.ok()) return {};
    files_ = *files;
    return json::parse(ReadFile(Out("report.json")).value());
  }

  // Returns the rounds of the evaluated models, by track.
  static json RoundsOf(const json& report) {
    const json& tracks = report["arms"]["whole"]["federated"]["tracks"];
    json rounds = json::array();
    for (const char* track : {"fold-1", "fold-2", "final"}) {
      rounds.push_back(tracks[track]["model_round"]);
    }
    return rounds;
  }
  std::string Blob(const std::string& sha256) const {
    return ReadFile(absl::StrCat(dir_, "/blobs/", ToHex(sha256))).value_or("");
  }
  // Returns a track's part of a blob of all tracks.
  static std::string TrackOf(const std::string& blob, size_t track) {
    return blob.substr(track * (blob.size() / 3), blob.size() / 3);
  }

  const std::string dir_;
  v1::Study study_ = TinyStudy();
  LateClock clock_;
  std::unique_ptr<FederationCore> core_;
  std::string hash_;
  std::vector<std::string> globals_;  // at the start of each round
  std::vector<std::string> files_;
};

TEST_F(ValidatedCoreTest, TrainingEndsSoonAndTheBestGlobalIsEvaluated) {
  Start();
  const double losses[] = {0.9, 0.5, 0.75, 0.625};
  for (uint32_t r = 1; r <= 4; ++r) Round(r, losses[r - 1]);
  Evaluate(1);
  const json report = Export();
  EXPECT_EQ(RoundsOf(report), json({1, 1, 1}));
  ASSERT_EQ(report["rounds"].size(), 4u);
  EXPECT_NEAR(report["rounds"][1]["validation_loss"].get<double>(), 0.5, 1e-6);
  EXPECT_EQ(report["rounds"][1]["validation_examples"], 12);
  core_.reset();  // deletes obsolete files
  EXPECT_FALSE(HasBlob(0));
  EXPECT_TRUE(HasBlob(1));
  EXPECT_FALSE(HasBlob(2));
  EXPECT_FALSE(HasBlob(3));
}

// Fold 1 is best after round 2 and stops after round 5; fold 2 at the start,
// after round 3; the final track is tried in round 4 only, and never stops.
class TrackChoiceCoreTest : public ValidatedCoreTest {
 protected:
  void Run(bool restart) {
    Start();
    const double none = std::nan("");
    const std::vector<double> losses[] = {{0.9, 0.1, none},  {0.8, 0.2, none},
                                          {0.5, 0.3, none},  {0.7, 0.01, 0.6},
                                          {0.6, 0.01, none}, {0.1, 0.01, none}};
    std::vector<std::string> models;  // bytes, after each round
    for (uint32_t r = 1; r <= kRounds; ++r) {
      if (restart) Open();
      models.push_back(Blob(Site("a").Next().task().global().sha256()));
      Round(r, losses[r - 1], restart);
    }
    if (restart) Open();
    const v1::Task task = Site("a").Next().task();
    ASSERT_EQ(task.kind(), v1::Task::EVALUATE);
    EXPECT_TRUE(Fetches(task));
    const std::string chosen = Blob(task.global().sha256());
    const size_t rounds[] = {2, 0, 3};
    for (size_t t = 0; t < 3; ++t) {
      EXPECT_TRUE(TrackOf(chosen, t) == TrackOf(models[rounds[t]], t)) << t;
    }
    // A stopped track stays as it is.
    EXPECT_TRUE(TrackOf(models[5], 1) == TrackOf(models[3], 1));
    EXPECT_FALSE(TrackOf(models[5], 0) == TrackOf(models[4], 0));
    chosen_ = chosen;
    for (const char* name : {"a", "b"}) {
      FakeSite site = Site(name);
      ASSERT_TRUE(site.SendEvaluation(site.Next().task()).ok());
    }
    report_ = Export();
  }
  // Returns how many blobs the coordinator has.
  int Blobs() {
    core_.reset();  // deletes obsolete files
    int blobs = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(absl::StrCat(dir_, "/blobs"))) {
      blobs += entry.is_regular_file();
    }
    return blobs;
  }

  std::string chosen_;
  json report_;
};

TEST_F(TrackChoiceCoreTest, EachTrackIsEvaluatedWithItsOwnBestModel) {
  Run(/*restart=*/false);
  EXPECT_EQ(RoundsOf(report_), json({2, 0, 3}));
  const json& rounds = report_["rounds"];
  ASSERT_EQ(rounds.size(), kRounds);
  EXPECT_EQ(rounds[2]["examples"]["whole"]["fold-2"], 16);
  EXPECT_EQ(rounds[3]["examples"]["whole"]["fold-2"], 0);
  EXPECT_EQ(rounds[4]["examples"]["whole"]["fold-1"], 16);
  EXPECT_EQ(rounds[5]["examples"]["whole"]["fold-1"], 0);
  EXPECT_EQ(rounds[5]["examples"]["whole"]["final"], 16);
  const std::string card = ReadFile(Out("model/README.md")).value();
  EXPECT_THAT(card, HasSubstr("whole-fold-1 2, whole-fold-2 0, whole-final 3"));
  EXPECT_THAT(card, HasSubstr("`model/whole-fold-1.pth` | 2 |"));
  EXPECT_THAT(card, HasSubstr("`model/last/whole-fold-1.pth` | 5, the last"));
  EXPECT_THAT(card, HasSubstr("`model/last/whole-final.pth` | 6, the last"));
  // The start is not called trained.
  EXPECT_THAT(card, testing::Not(HasSubstr("`model/whole-fold-2.pth`")));
  // The starting weights' frozen part, the last and the chosen models.
  EXPECT_LE(Blobs(), 4);
}

TEST_F(TrackChoiceCoreTest, RestartsAtEveryPlaceGiveTheSameModels) {
  Run(/*restart=*/true);
  const std::string chosen = chosen_;
  const json report = report_;
  core_.reset();
  std::filesystem::remove_all(dir_);
  Run(/*restart=*/false);
  EXPECT_TRUE(chosen_ == chosen);
  EXPECT_EQ(report_["arms"], report["arms"]);
}

TEST_F(ValidatedCoreTest, RestartsAtEveryPlaceChangeNothing) {
  Start();
  const double losses[] = {0.9, 0.5, 0.75, 0.625};
  for (uint32_t r = 1; r <= 4; ++r) {
    Open();
    Round(r, losses[r - 1], /*restart=*/true);
  }
  Open();
  EXPECT_TRUE(HasBlob(1));
  Evaluate(1);
  Open();
  EXPECT_EQ(core_->StatusOf(hash_)->phase(), v1::StudyStatus::COMPLETED);
  EXPECT_EQ(core_->StatusOf(hash_)->round(), 4u);
  EXPECT_EQ(RoundsOf(Export()), json({1, 1, 1}));
}

TEST_F(ValidatedCoreTest,
       SiteThatComesAfterAnEarlyEndIsEvaluatedInARestartToo) {
  Open();
  hash_ = core_->SubmitStudy(study_, "").value();
  const std::string manifest = StudyLayout(study_)->manifest_sha256;
  FakeSite a = Site("a"), b = Site("b");
  a.validation_loss = b.validation_loss = 0.5;
  const v1::Task prepare = b.Next().task();
  ASSERT_TRUE(b.SendNoCensus(prepare).ok());
  ASSERT_TRUE(a.SendCensus(manifest, a.Next().task()).ok());
  clock_.Advance(absl::Hours(1));  // preparation waits for b so long
  // An answer wakes the core; the fake clock alone does not.
  ASSERT_TRUE(b.SendNoCensus(prepare).ok());
  for (uint32_t r = 1; r <= 3; ++r) {
    ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(r)).ok());
  }
  ASSERT_EQ(a.Next().task().kind(), v1::Task::EVALUATE);
  ASSERT_TRUE(b.SendCensus(manifest, b.Next().task()).ok());
  Open();
  EXPECT_EQ(Site("b").Next(0).task().kind(), v1::Task::EVALUATE);
}

TEST_F(ValidatedCoreTest, BestOfAllRoundsIsEvaluatedAndTheLastIsExportedToo) {
  study_.mutable_training()->mutable_validation()->set_patience(0);
  Start();
  for (uint32_t r = 1; r <= kRounds; ++r) Round(r, r == 3 ? 0.25 : 0.5);
  Evaluate(2);
  const json report = Export();
  const std::string name = "whole-fold-1";
  auto best = WeightsFile::Open(Out("model/" + name + ".safetensors")).value();
  auto last =
      WeightsFile::Open(Out("model/last/" + name + ".safetensors")).value();
  const std::string header(best.bytes().substr(8, 700));
  for (const char* entry :
       {"\"classes\":\"sick,well\"", "\"preprocessing\":\"hilum\"",
        "\"input_channels\":\"1\"", "\"input_size\":\"96\"",
        "\"head_units\":\"0\"", "\"round\":\"2\"",
        "\"track\":\"whole-fold-1\""}) {
    EXPECT_THAT(header, HasSubstr(entry));
  }
  EXPECT_THAT(std::string(last.bytes().substr(8, 700)),
              HasSubstr("\"round\":\"6\""));
  EXPECT_EQ(
      report["arms"]["whole"]["federated"]["tracks"]["fold-1"]["model_sha256"],
      ToHex(Sha256Of(best.bytes())));
  const std::string card = ReadFile(Out("model/README.md")).value();
  for (const char* file :
       {"model/whole-final.pth", "model/last/whole-fold-2.safetensors"}) {
    EXPECT_THAT(files_, testing::Contains(std::string(file)));
    EXPECT_THAT(card,
                HasSubstr(absl::StrCat(
                    "`", file, "` | ",
                    file[6] == 'l' ? "6, the last; not evaluated" : "2", " | `",
                    ToHex(Sha256Of(ReadFile(Out(file)).value())), "`")));
  }
  Export();
  EXPECT_EQ(ReadFile(Out("model/README.md")).value(), card);
}

TEST_F(ValidatedCoreTest, GlobalThatNobodyTriedIsNeitherBestNorCounted) {
  Start();
  const double nothing = std::nan("");
  Round(1, nothing);
  Round(2, 0.5);
  Round(3, 0.75);
  Round(4, nothing);
  Round(5, 0.75);
  Evaluate(1);
  EXPECT_EQ(Export()["rounds"][3]["validation_loss"], nullptr);
}

// The best model is the starting one: no training counted.
TEST_F(ValidatedCoreTest, StartingWeightsThatAreBestAreNotCalledTrained) {
  Start();
  Round(1, 0.5);
  Round(2, 0.75);
  Round(3, 0.75);
  Evaluate(0);
  EXPECT_THAT(core_->StatusOf(hash_)->warning(),
              HasSubstr("Validation found the starting weights better"));
  const json report = Export();
  EXPECT_EQ(RoundsOf(report), json({0, 0, 0}));
  EXPECT_EQ(report["arms"]["whole"]["federated"]["pooled"]["n"], 0);
  EXPECT_FALSE(FileExists(Out("model/whole-fold-1.safetensors")));
  // The last models are trained, and marked as not evaluated.
  EXPECT_TRUE(FileExists(Out("model/last/whole-fold-1.safetensors")));
}

TEST_F(ValidatedCoreTest, WhereNothingWasTriedTheLastGlobalIsEvaluated) {
  Start();
  for (uint32_t r = 1; r <= kRounds; ++r) Round(r, std::nan(""));
  const v1::Task task = Site("a").Next().task();
  globals_.push_back(task.global().sha256());
  Evaluate(kRounds);
  EXPECT_EQ(RoundsOf(Export()), json({kRounds, kRounds, kRounds}));
  EXPECT_FALSE(FileExists(Out("model/last")));
}

TEST_F(ValidatedCoreTest, VectorWithoutValidationWordsIsRefused) {
  Start();
  FakeSite a = Site("a"), b = Site("b");
  const v1::Task task = a.Next().task();
  const std::vector<uint32_t> vector = a.Encode(task, Delta(1));
  EXPECT_EQ(a.Upload(task, vector).status().code(),
            absl::StatusCode::kInvalidArgument);
  b.validation_loss = 1;
  ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(1)).ok());
  EXPECT_EQ(b.Next().task().header().round(), 2u);
}

}  // namespace
}  // namespace hilum
