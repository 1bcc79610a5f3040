// SPDX-License-Identifier: Apache-2.0
// Runs one small study with its baselines, and checks both.
#include "sim/baselines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "sim/engine.h"
#include "sim/phantoms/phantom_set.h"
#include "site_agent/trainer/torch_trainer.h"

namespace hilum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kStudy[] = R"(name: tiny
classes: [covid19, normal, bacterial, viral]
arms: [whole]
model: {architecture: hilum_small, trainable: all, input_size: 32}
cross_validation: {folds: 2}
training: {rounds: 2, local_epochs: 1, batch_size: 4}
seed: 3
)";
constexpr const char* kSites[] = {"site-a", "site-b", "site-c"};

class BaselinesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = absl::StrCat(testing::TempDir(), "/baselines-", getpid());
    ASSERT_TRUE(
        WritePhantomSet({.count = 120, .size = 64}, Path("data"), nullptr)
            .ok());
    ASSERT_TRUE(WriteFileAtomically(Path("study.yaml"), kStudy).ok());
    Run("here", "data/manifest.csv", {});
    const absl::Status compared = RunBaselines(plan_);
    ASSERT_TRUE(compared.ok()) << compared;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  static std::string Path(const std::string& name) {
    return absl::StrCat(folder_, "/", name);
  }
  static std::string Text(const std::string& name) {
    const auto text = ReadFile(Path(name));
    EXPECT_TRUE(text.ok()) << text.status();
    return text.value_or("");
  }
  static json Arm(const std::string& out) {
    return json::parse(
        Text(absl::StrCat(out, "/report.json")))["arms"]["whole"];
  }

  // Runs the federated study; leaves its plan in plan_.
  static void Run(const std::string& out, const std::string& manifest,
                  const std::vector<std::string>& start_order) {
    RunOptions options;
    options.study_path = Path("study.yaml");
    options.data = Path(manifest);
    options.out = Path(out);
    options.start_order = start_order;
    auto plan = PrepareRun(options);
    ASSERT_TRUE(plan.ok()) << plan.status();
    plan_ = *std::move(plan);
    const absl::Status ran = RunInProcess(
        plan_, [](const SiteId&) { return std::make_unique<TorchTrainer>(); },
        [](int) {});
    ASSERT_TRUE(ran.ok()) << ran;
  }

  // (case, track) of the rows of one model.
  using Rows = std::set<std::pair<std::string, std::string>>;
  static Rows RowsOf(const std::string& predictions, const std::string& model) {
    Rows rows;
    for (absl::string_view line :
         absl::StrSplit(predictions, '\n', absl::SkipEmpty())) {
      const std::vector<std::string> cells = absl::StrSplit(line, ',');
      EXPECT_EQ(cells.size(), 9u) << line;
      if (cells[2] != model) continue;
      EXPECT_TRUE(rows.emplace(cells[0], cells[3]).second) << line;
    }
    return rows;
  }
  // Returns the share of a model's rows whose highest score is the label's.
  static double AccuracyOf(const std::string& predictions,
                           const std::string& model) {
    const std::vector<std::string> classes = {"covid19", "normal", "bacterial",
                                              "viral"};
    int rows = 0, right = 0;
    for (absl::string_view line :
         absl::StrSplit(predictions, '\n', absl::SkipEmpty())) {
      const std::vector<std::string> cells = absl::StrSplit(line, ',');
      if (cells[2] != model) continue;
      size_t best = 0;
      for (size_t c = 1; c < classes.size(); ++c) {
        if (std::stod(cells[5 + c]) > std::stod(cells[5 + best])) best = c;
      }
      ++rows;
      right += classes[best] == cells[4];
    }
    return static_cast<double>(right) / rows;
  }
  static std::string Predictions(const std::string& site) {
    return Text(absl::StrCat("here/", PredictionsFile(site)));
  }
  // Returns the path relative to a run's folder; equal studies have equal
  // names.
  static std::string PredictionsFile(const std::string& site) {
    const std::string results = absl::StrCat("sites/", site, "/results");
    const std::filesystem::directory_iterator first(
        absl::StrCat(folder_, "/here/", results));
    return absl::StrCat(results, "/", first->path().filename().string(),
                        "/predictions-site-", site, ".csv");
  }

  static std::string folder_;
  static RunPlan plan_;
};

std::string BaselinesTest::folder_;
RunPlan BaselinesTest::plan_;

TEST_F(BaselinesTest, EveryPromisedKeyIsThere) {
  const json arm = Arm("here");
  for (const char* model : {"federated", "local_only", "centralized"}) {
    const json& scores = arm[model];
    EXPECT_EQ(scores["pooled"]["n"], 120) << model;
    EXPECT_EQ(scores["pooled"]["confusion"].size(), 4u) << model;
    EXPECT_TRUE(scores["pooled"]["macro"]["auc"].is_number()) << model;
    for (const char* site : kSites) {
      EXPECT_EQ(scores["sites"][site]["n"],
                arm["federated"]["sites"][site]["n"]);
    }
    for (const char* track : {"fold-1", "fold-2"}) {
      EXPECT_EQ(scores["tracks"][track]["n"],
                arm["federated"]["tracks"][track]["n"]);
    }
    EXPECT_FALSE(scores["tracks"]["final"]["model_sha256"].is_null());
  }
  EXPECT_THAT(Text("here/report.html"),
              HasSubstr("Federated against local and centralized"));
}

// Pooled scores have figures of folds, too.
void ExpectIsIn(const nlohmann::json& part, const nlohmann::json& all) {
  for (const auto& [key, value] : part.items()) {
    if (value.is_object()) {
      ExpectIsIn(value, all[key]);
    } else {
      EXPECT_EQ(value, all[key]) << key;
    }
  }
}

TEST_F(BaselinesTest, ASiteAloneIsAFederationOfOne) {
  std::string own;
  for (absl::string_view line :
       absl::StrSplit(Text("data/manifest.csv"), '\n')) {
    if (own.empty() || absl::StrContains(line, ",site-b,")) {
      absl::StrAppend(&own, line, "\n");
    }
  }
  ASSERT_TRUE(WriteFileAtomically(Path("data/own.csv"), own).ok());
  const RunPlan all = plan_;
  Run("own", "data/own.csv", {});
  plan_ = all;
  ExpectIsIn(Arm("here")["local_only"]["sites"]["site-b"],
             Arm("own")["federated"]["pooled"]);
  for (const char* track : {"fold-1", "fold-2", "final"}) {
    const std::string model =
        absl::StrCat("model/whole-", track, ".safetensors");
    EXPECT_TRUE(Text("own/" + model) ==
                Text(absl::StrCat("here/baselines/local_only/site-b/", model)))
        << track;
  }
}

TEST_F(BaselinesTest, TheMatrixsDiagonalIsEachSitesOwnModelAtHome) {
  const json local = Arm("here")["local_only"];
  for (const char* site : kSites) {
    const json& own = local["matrix"][site][site];
    EXPECT_EQ(own["n"], local["sites"][site]["n"]);
    EXPECT_EQ(own["accuracy"], local["sites"][site]["accuracy"]);
    EXPECT_EQ(own["macro"]["auc"], local["sites"][site]["macro"]["auc"]);
    // The sites have 8, 8 and 9 cases: a column has the number of the tested
    // site.
    for (const char* trained_at : kSites) {
      EXPECT_EQ(local["matrix"][trained_at][site]["n"],
                local["sites"][site]["n"]);
    }
  }
}

TEST_F(BaselinesTest, PredictionsHaveEachHeldOutCaseOnceAModelInTheSameFold) {
  for (const char* site : kSites) {
    const std::string text = Predictions(site);
    const Rows federated = RowsOf(text, "federated");
    EXPECT_EQ(federated.size(),
              Arm("here")["federated"]["sites"][site]["n"].get<size_t>());
    EXPECT_EQ(RowsOf(text, "local_only"), federated);
    EXPECT_EQ(RowsOf(text, "centralized"), federated);
  }
}

TEST_F(BaselinesTest, PredictionsOfAModelGiveItsAccuracyInTheReport) {
  const json arm = Arm("here");
  for (const char* model : {"federated", "local_only", "centralized"}) {
    for (const char* site : kSites) {
      EXPECT_DOUBLE_EQ(AccuracyOf(Predictions(site), model),
                       arm[model]["sites"][site]["accuracy"].get<double>())
          << model << ", " << site;
    }
  }
}

TEST_F(BaselinesTest, TheCentralTrainerHoldsOutTheUnionOfTheSitesFolds) {
  const auto further = FurtherSources(plan_.sites);
  ASSERT_TRUE(further.ok()) << further.status();
  TorchTrainer central({.further = *further});
  v1::PrepareRequest prepare;
  prepare.set_study(SerializeStudy(plan_.study));
  prepare.set_manifest(plan_.sites[0].config.manifest());
  prepare.set_patient_key(*PatientKeyOf(plan_.sites[0]));
  prepare.set_site("centralized");
  ASSERT_TRUE(central.Prepare(prepare).ok());

  const ParameterLayout layout = *StudyLayout(plan_.study);
  const SplitWeights weights =
      *SplitInitial(layout, InitialWeights(layout.architecture, 3));
  const std::vector<float> global = RepeatForTracks(weights.travelling, 3);
  ASSERT_TRUE(WriteFileAtomically(Path("global"), BlobBytes(global)).ok());
  v1::EvaluateRequest evaluate;
  evaluate.set_global_path(Path("global"));
  evaluate.set_predictions_path(Path("central.csv"));
  evaluate.set_model("tried");
  ASSERT_TRUE(central.Evaluate(evaluate).ok());
  Rows sites;
  for (const char* site : kSites) {
    sites.merge(RowsOf(Predictions(site), "federated"));
  }
  EXPECT_EQ(RowsOf(Text("central.csv"), "tried"), sites);

  v1::TrainRequest train;
  train.set_round(1);
  train.set_global_path(Path("global"));
  train.set_delta_path(Path("delta"));
  const auto trained = central.Train(train);
  ASSERT_TRUE(trained.ok()) << trained.status();
  const json tracks = Arm("here")["federated"]["tracks"];
  EXPECT_EQ(trained->tracks(0).num_examples(), tracks["fold-2"]["n"]);
  EXPECT_EQ(trained->tracks(1).num_examples(), tracks["fold-1"]["n"]);
  EXPECT_EQ(trained->tracks(2).num_examples(), 120u);
}

TEST_F(BaselinesTest, EqualSeedsGiveEqualBitsInAnyStartOrder) {
  const RunPlan first = plan_;
  Run("again", "data/manifest.csv", {"site-c", "site-a", "site-b"});
  const absl::Status compared = RunBaselines(plan_);
  plan_ = first;
  ASSERT_TRUE(compared.ok()) << compared;
  for (const std::string& file :
       {std::string("report.json"), std::string("report.html"),
        PredictionsFile("site-b"),
        std::string("baselines/centralized/model/whole-fold-1.safetensors")}) {
    EXPECT_TRUE(Text(absl::StrCat("here/", file)) ==
                Text(absl::StrCat("again/", file)))
        << file;
  }
}

TEST_F(BaselinesTest, PatientsOfSeveralSitesAreCounted) {
  EXPECT_EQ(*CountSharedPatients(plan_), 0);
  RunPlan twice = plan_;
  twice.sites[1].config.set_manifest(Path("data/twice.csv"));
  const std::string b = ReadFile(plan_.sites[1].config.manifest()).value();
  const std::string a = ReadFile(plan_.sites[0].config.manifest()).value();
  const std::vector<std::string> rows = absl::StrSplit(a, '\n');
  ASSERT_TRUE(
      WriteFileAtomically(twice.sites[1].config.manifest(), b + rows[1] + "\n")
          .ok());
  EXPECT_EQ(*CountSharedPatients(twice), 1);
}

}  // namespace
}  // namespace hilum
