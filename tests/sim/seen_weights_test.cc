// SPDX-License-Identifier: Apache-2.0
// Runs small studies from weights that list some of the cases as images that
// they learned from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"
#include "common/model/safetensors.h"
#include "common/model/trained_on.h"
#include "common/model/weights_file.h"
#include "sim/engine.h"
#include "sim/phantoms/phantom_set.h"
#include "sim/prepare_run.h"
#include "site_agent/trainer/torch_trainer.h"
#include "site_agent/trainer/weights/trained_on_command.h"

namespace hilum {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kStudy[] = R"(name: tiny
classes: [covid19, normal, bacterial, viral]
arms: [whole]
model: {architecture: hilum_small, trainable: head, input_size: 32}
cross_validation: {folds: 2}
training: {rounds: 1, local_epochs: 1, batch_size: 4}
evaluation: {localization: false}
seed: 3
)";

class SeenWeightsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = absl::StrCat(testing::TempDir(), "/seen-weights-", getpid());
    ASSERT_TRUE(
        WritePhantomSet({.count = 120, .size = 64}, Path("data"), nullptr)
            .ok());
    ASSERT_TRUE(WriteFileAtomically(Path("study.yaml"), kStudy).ok());
    WriteSeenManifest();
    const Architecture small = LookUpArchitecture({"hilum_small", 4}).value();
    ASSERT_TRUE(WriteSafetensors(Path("silent.safetensors"), small,
                                 InitialWeights(small, 5), {})
                    .ok());
    std::ostringstream out;
    const absl::Status listed =
        RecordTrainedOn({.in = Path("silent.safetensors"),
                         .out = Path("lists.safetensors"),
                         .manifest = Path("data/seen.csv"),
                         .name = "phantoms of two sites",
                         .licence = "CC0"},
                        out);
    ASSERT_TRUE(listed.ok()) << listed;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  static std::string Path(const std::string& name) {
    return absl::StrCat(folder_, "/", name);
  }

  // Lists one film of each patient of site-a, and of nine patients of site-b,
  // who are too few to be counted.
  static void WriteSeenManifest() {
    const std::string manifest = ReadFile(Path("data/manifest.csv")).value();
    std::string seen = "file,label,patient_id\n";
    std::map<std::string, std::set<std::string>> patients;
    for (absl::string_view line :
         absl::StrSplit(manifest, '\n', absl::SkipEmpty())) {
      const std::vector<std::string> cells = absl::StrSplit(line, ',');
      const std::string &patient = cells[2], &site = cells[4];
      seen_cases_ += site == "site-a";
      if (site != "site-a" && site != "site-b") continue;
      if (site == "site-b" && patients[site].size() == 9) continue;
      if (!patients[site].insert(patient).second) continue;
      absl::StrAppend(&seen, cells[0], ",", cells[1], ",", patient, "\n");
    }
    ASSERT_EQ(patients["site-b"].size(), 9u);
    ASSERT_GT(seen_cases_, patients["site-a"].size());  // second films
    ASSERT_TRUE(WriteFileAtomically(Path("data/seen.csv"), seen).ok());
  }

  // Runs the study and returns its report.
  static json Run(const std::string& out, const std::string& weights,
                  const std::vector<std::string>& set = {}) {
    RunOptions options{.study_path = Path("study.yaml"),
                       .data = Path("data/manifest.csv"),
                       .start = {.path = Path(weights)},
                       .set = set,
                       .out = Path(out)};
    const auto plan = PrepareRun(options);
    EXPECT_TRUE(plan.ok()) << plan.status();
    if (!plan.ok()) return {};
    const absl::Status ran = RunInProcess(
        *plan, [](const SiteId&) { return std::make_unique<TorchTrainer>(); },
        [](int) {});
    EXPECT_TRUE(ran.ok()) << ran;
    return json::parse(ReadFile(Path(out + "/report.json")).value_or("{}"));
  }

  static inline std::string folder_;
  static inline size_t seen_cases_ = 0;
};

TEST_F(SeenWeightsTest, SeenCasesAreLeftOutAndCountedUnderMasks) {
  const json report = Run("out", "lists.safetensors");
  ASSERT_EQ(report["secure_aggregation"], true);
  const json start = report["starting_weights"];
  EXPECT_EQ(start["file"], "lists.safetensors");
  EXPECT_EQ(start["excluded"], true);
  EXPECT_EQ(start["known"], true);
  EXPECT_EQ(start["arms"]["whole"]["held_out"], 120);
  // The nine patients of site-b are not counted; second films of patients with
  // one listed film are.
  EXPECT_EQ(start["arms"]["whole"]["seen"], seen_cases_);
  const json pooled = report["arms"]["whole"]["federated"]["pooled"];
  EXPECT_EQ(pooled["n"], 120 - seen_cases_);
  EXPECT_THAT(report["warnings"].dump(),
              HasSubstr(absl::StrCat("leave out ", seen_cases_, " of 120")));
  // Each site's log names the weights; site-b's alone the nine patients.
  std::string logs;
  for (const auto& log :
       std::filesystem::directory_iterator(Path("out/logs"))) {
    absl::StrAppend(&logs, *ReadFile(log.path().string()));
  }
  EXPECT_THAT(logs, AllOf(HasSubstr("starting weights file lists.safetensors"),
                          HasSubstr("starting weights: file lists.safetensors"),
                          HasSubstr("fewer than ten patients")));
  // The models name the hospitals without their images.
  const auto model =
      WeightsFile::Open(Path("out/model/whole-final.safetensors"));
  ASSERT_TRUE(model.ok()) << model.status();
  const auto data = TrainedOnOf(model->metadata());
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_EQ(data->size(), 2);
  EXPECT_EQ((*data)[0].name(), "phantoms of two sites");
  EXPECT_EQ((*data)[1].name(), "hospitals of the study tiny");
  EXPECT_EQ((*data)[1].images(), 120u);
  EXPECT_TRUE((*data)[1].digests().empty());
}

TEST_F(SeenWeightsTest, SeenCasesThatStayAreAWarning) {
  const json report = Run("kept", "lists.safetensors",
                          {"evaluation.exclude_pretraining_cases=false"});
  EXPECT_EQ(report["starting_weights"]["excluded"], false);
  EXPECT_EQ(report["starting_weights"]["arms"]["whole"]["seen"], seen_cases_);
  EXPECT_EQ(report["arms"]["whole"]["federated"]["pooled"]["n"], 120);
  EXPECT_THAT(report["warnings"].dump(), HasSubstr("The figures are too good"));
}

TEST_F(SeenWeightsTest, WeightsWithoutAListAreUnknown) {
  const json report = Run("silent", "silent.safetensors");
  EXPECT_EQ(report["starting_weights"]["known"], false);
  EXPECT_TRUE(report["starting_weights"]["arms"].empty());
  EXPECT_EQ(report["arms"]["whole"]["federated"]["pooled"]["n"], 120);
  EXPECT_THAT(report["warnings"].dump(), HasSubstr("It is unknown whether"));
}

}  // namespace
}  // namespace hilum
