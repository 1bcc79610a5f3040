// SPDX-License-Identifier: Apache-2.0
// One step a round over the whole cohort is the step of one site that has all
// cases, whatever the sites' labels: through the product's whole path, in
// process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/model/weights_file.h"
#include "sim/baselines.h"
#include "sim/engine.h"
#include "sim/phantoms/phantom_set.h"
#include "sim/prepare_run.h"
#include "site_agent/trainer/torch_trainer.h"

namespace hilum {
namespace {

constexpr char kStudy[] = R"(name: steps
classes: [covid19, normal, bacterial, viral]
arms: [whole]
model: {architecture: hilum_small, trainable: all, input_size: 32}
cross_validation: {folds: 2, skip_final_track: true}
training:
  rounds: 4
  local_steps: 1
  batch_size: 1000
  optimizer: {kind: sgd, learning_rate: 0.05}
  augmentation: {rotation_degrees: 0, shift: 0, scale: 0, intensity: 0, gamma: 0}
seed: 3
)";

// Gives site-a all covid19, site-b all normal, and site-c the rest, which is
// most of the cases.
std::string OneClassASite(const std::string& manifest) {
  std::string skewed;
  for (absl::string_view line :
       absl::StrSplit(manifest, '\n', absl::SkipEmpty())) {
    std::vector<std::string> cells = absl::StrSplit(line, ',');
    if (cells[1] != "label") {
      cells[4] = cells[1] == "covid19"  ? "site-a"
                 : cells[1] == "normal" ? "site-b"
                                        : "site-c";
    }
    absl::StrAppend(&skewed, absl::StrJoin(cells, ","), "\n");
  }
  return skewed;
}

class LocalStepsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = absl::StrCat(testing::TempDir(), "/local_steps-", getpid());
    ASSERT_TRUE(
        WritePhantomSet({.count = 90, .size = 64}, Path("data"), nullptr).ok());
    const auto manifest = ReadFile(Path("data/manifest.csv"));
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    ASSERT_TRUE(
        WriteFileAtomically(Path("data/skewed.csv"), OneClassASite(*manifest))
            .ok());
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  static std::string Path(const std::string& name) {
    return absl::StrCat(folder_, "/", name);
  }

  // The released weights. Random ones begin with residual branches that are
  // exactly 0, where the last bit decides whether a ReLU has a gradient.
  static StartingWeights Start() {
    return {.path = HILUM_SOURCE_DIR
            "/site_agent/trainer/weights/hilum_small.safetensors",
            .options = {.fresh_head = true, .seed = 3}};
  }

  // Runs the study and returns its plan.
  static RunPlan Run(const std::string& out, const std::string& masks,
                     const std::vector<std::string>& set,
                     const std::vector<std::string>& start_order = {}) {
    EXPECT_TRUE(WriteFileAtomically(Path("study.yaml"), kStudy).ok());
    RunOptions options;
    options.study_path = Path("study.yaml");
    options.data = Path("data/skewed.csv");
    options.out = Path(out);
    options.start = Start();
    options.secure_aggregation = masks;
    options.set = set;
    options.start_order = start_order;
    auto plan = PrepareRun(options);
    EXPECT_TRUE(plan.ok()) << plan.status();
    const absl::Status ran = RunInProcess(
        *plan, [](const SiteId&) { return std::make_unique<TorchTrainer>(); },
        [](int) {});
    EXPECT_TRUE(ran.ok()) << ran;
    return *std::move(plan);
  }

  static std::vector<float> Weights(const RunPlan& plan,
                                    const std::string& model) {
    auto weights = ReadWeights(
        Path(model), StudyLayout(plan.study)->architecture, WeightsOptions());
    EXPECT_TRUE(weights.ok()) << weights.status();
    return weights.value_or(std::vector<float>());
  }

  static float LargestDifference(const std::vector<float>& a,
                                 const std::vector<float>& b) {
    EXPECT_EQ(a.size(), b.size());
    float largest = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      largest = std::max(largest, std::abs(a[i] - b[i]));
    }
    return largest;
  }

  // Runs the study masked, in the clear and centralised, and compares.
  static void ExpectEqualToCentralised(const std::string& name,
                                       const std::vector<std::string>& set) {
    const RunPlan plan = Run(name, "on", set);
    const absl::Status compared = RunBaselines(plan);
    ASSERT_TRUE(compared.ok()) << compared;
    Run(name + "-clear", "off", set, {"site-c", "site-a", "site-b"});
    for (const char* fold : {"1", "2"}) {
      const std::string model =
          absl::StrCat("model/whole-fold-", fold, ".safetensors");
      const std::vector<float> federated = Weights(plan, name + "/" + model);
      EXPECT_EQ(federated, Weights(plan, name + "-clear/" + model));
      const std::vector<float> centralised =
          Weights(plan, name + "/baselines/centralized/" + model);
      EXPECT_LT(LargestDifference(federated, centralised), 1e-6f) << name;
      const auto start = ReadWeights(
          Start().path, StudyLayout(plan.study)->architecture, Start().options);
      ASSERT_TRUE(start.ok()) << start.status();
      EXPECT_GT(LargestDifference(federated, *start), 1e-3f) << name;
    }
  }

  static std::string folder_;
};

std::string LocalStepsTest::folder_;

TEST_F(LocalStepsTest, OneStepOfAllCasesIsTheCentralisedStep) {
  ExpectEqualToCentralised("whole", {});
}

// epsilon is far above the rounding errors of the updates, which Adam would
// raise to whole steps where the gradient is nearly 0.
TEST_F(LocalStepsTest, OneStepOfAServersAdamIsTheCentralisedStep) {
  ExpectEqualToCentralised("server",
                           {"training.optimizer.learning_rate=1",
                            "aggregation.server_optimizer.kind=adamw",
                            "aggregation.server_optimizer.learning_rate=0.01",
                            "aggregation.server_optimizer.weight_decay=0.1",
                            "aggregation.server_optimizer.clip=1",
                            "aggregation.server_optimizer.epsilon=0.001"});
}

TEST_F(LocalStepsTest, OneStepOfTheHeadIsTheCentralisedStep) {
  ExpectEqualToCentralised("head", {"model.trainable=head"});
}

}  // namespace
}  // namespace hilum
