// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_WRITTEN_REPORT_H_
#define HILUM_TESTS_COORDINATOR_WRITTEN_REPORT_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "coordinator/report/report.h"
#include "coordinator/trained_tracks.h"
#include "tests/support/fingerprint.h"

namespace hilum {

inline constexpr int kBins = 16;

// Returns an evaluation with `right` of ten cases correct, in each of two
// classes and two folds.
inline v1::SubmitEvaluationRequest Evaluation(uint64_t right) {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation* track = evaluation.add_tracks();
    track->set_track(t);
    for (uint64_t count : {right, 10 - right, 10 - right, right}) {
      track->add_confusion(count);
    }
    for (int c = 0; c < 2; ++c) {
      v1::ScoreHistogram* scores = track->add_classes();
      for (int b = 0; b < kBins; ++b) {
        const uint64_t high = b == 12 ? right : 0;
        const uint64_t low = b == 3 ? right : 0;
        const uint64_t wrong = 10 - right;
        scores->add_positives(
            static_cast<uint32_t>(high + (b == 3 ? wrong : 0)));
        scores->add_negatives(
            static_cast<uint32_t>(low + (b == 12 ? wrong : 0)));
      }
    }
  }
  return evaluation;
}

// Returns a census with these cases in each of two folds.
inline v1::SubmitCensusRequest Census(uint64_t sick, uint64_t well) {
  v1::SubmitCensusRequest census;
  v1::ArmCensus* arm = census.add_arms();
  for (uint64_t count : {sick, well, sick, well}) {
    arm->add_fold_class_counts(count);
  }
  arm->set_without_mask(1);
  census.set_rows(50);
  census.set_rejected_rows(2);
  FillFingerprints(2, census);
  return census;
}

// A study of two sites and its reports.
class ReportTest : public testing::Test {
 protected:
  ReportTest() : folder_(absl::StrCat(testing::TempDir(), "/rep-", getpid())) {
    std::filesystem::create_directories(folder_);
    study_.set_name("tiny");
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    for (const char* site : {"a", "b"}) study_.add_sites(site);
    study_.add_arms(v1::ARM_WHOLE);
    study_.mutable_cross_validation()->set_folds(2);
    study_.mutable_evaluation()->set_score_bins(kBins);
    FillStudyDefaults(study_);
    federated_ = Result({{SiteId("a"), 9}, {SiteId("b"), 9}});
  }
  ~ReportTest() override { std::filesystem::remove_all(folder_); }

  StudyResult Result(const std::map<SiteId, uint64_t>& right) const {
    StudyResult result{.study = study_};
    for (const auto& [site, count] : right) {
      result.census[site] = Census(10, 10);
      result.evaluations[site] = Evaluation(count);
    }
    result.census_totals = SumCensus(study_, result.census);
    result.evaluation_totals = SumEvaluations(study_, result.evaluations);
    result.rounds = {{.round = 1, .mean_loss = {1.25}}};
    result.model_rounds = {1, 1, 1};
    for (const char* track : {"1", "2", "final"}) {
      result.model_sha256.push_back(
          absl::StrCat(right.begin()->first.name(), track));
    }
    return result;
  }

  // Site a's model does well on its own cases only, b's moderately on all.
  Baselines MakeBaselines() const {
    const SiteId a("a"), b("b");
    Baselines baselines;
    baselines.local_only[a] = Result({{a, 8}});
    baselines.local_only[b] = Result({{b, 6}});
    baselines.matrix[a][a] = ComputeCrossSiteScores(study_, Evaluation(8));
    baselines.matrix[a][b] = ComputeCrossSiteScores(study_, Evaluation(3));
    baselines.matrix[b][a] = ComputeCrossSiteScores(study_, Evaluation(5));
    baselines.matrix[b][b] = ComputeCrossSiteScores(study_, Evaluation(6));
    baselines.centralized = Result({{a, 10}, {b, 9}});
    return baselines;
  }

  // Leaves one round, whose updates counted with `examples` [tracks]: all of a,
  // and b with none.
  void TrainOnly(const std::vector<uint64_t>& examples) {
    uint64_t all = 0;
    for (uint64_t count : examples) all += count;
    federated_.rounds = {{.round = 1,
                          .contributors = {SiteId("a"), SiteId("b")},
                          .mean_loss = {1.25},
                          .examples = examples,
                          .site_examples = {all, 0}}};
    const std::vector<bool> trained = TrainedTracks(federated_);
    for (size_t t = 0; t < trained.size(); ++t) {
      if (!trained[t]) federated_.model_sha256[t].clear();
    }
  }

  void Write(const Baselines& baselines) {
    const absl::Status written = WriteReports(federated_, folder_, baselines);
    ASSERT_TRUE(written.ok()) << written;
    text_ = *ReadFile(folder_ + "/report.json");
    html_ = *ReadFile(folder_ + "/report.html");
    report_ = nlohmann::json::parse(text_);
    arm_ = report_["arms"]["whole"];
  }

  const std::string folder_;
  v1::Study study_;
  StudyResult federated_;
  std::string text_;
  std::string html_;
  nlohmann::json report_;
  nlohmann::json arm_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_WRITTEN_REPORT_H_
