// SPDX-License-Identifier: Apache-2.0
// Runs a study twice, the second time with other images in the cases that
// fold 1 holds out. No model of fold 1 may change, whatever chooses it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "sim/baselines.h"
#include "sim/engine.h"
#include "sim/phantoms/phantom_set.h"
#include "site_agent/trainer/torch_trainer.h"

namespace hilum {
namespace {

using nlohmann::json;

constexpr const char* kSites[] = {"site-a", "site-b", "site-c"};

class HeldOutTest : public testing::Test {
 protected:
  HeldOutTest() {
    const absl::Status written =
        WritePhantomSet({.count = 160, .size = 48}, Path("data"), nullptr);
    EXPECT_TRUE(written.ok()) << written;
  }
  ~HeldOutTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }

  // Runs the study over the manifest in `data`; returns report.json.
  json Run(const std::string& study, const std::string& data,
           const std::string& out, bool baselines) {
    EXPECT_TRUE(WriteFileAtomically(Path("study.yaml"), study).ok());
    RunOptions options;
    options.study_path = Path("study.yaml");
    options.data = Path(data + "/manifest.csv");
    options.out = Path(out);
    const auto plan = PrepareRun(options);
    EXPECT_TRUE(plan.ok()) << plan.status();
    if (!plan.ok()) return {};
    absl::Status ran = RunInProcess(
        *plan, [](const SiteId&) { return std::make_unique<TorchTrainer>(); },
        [](int) {});
    if (ran.ok() && baselines) ran = RunBaselines(*plan);
    EXPECT_TRUE(ran.ok()) << ran;
    return json::parse(ReadFile(Path(out + "/report.json")).value_or("{}"));
  }

  // Returns the files that fold 1 holds out, from the predictions of a run; as
  // the manifest names them.
  std::vector<std::string> HeldOutFiles(const std::string& out) const {
    std::vector<std::string> files;
    for (const char* site : kSites) {
      const std::filesystem::directory_iterator first(
          Path(absl::StrCat(out, "/sites/", site, "/results")));
      const std::string csv =
          ReadFile(absl::StrCat(first->path().string(), "/predictions-site-",
                                site, ".csv"))
              .value_or("");
      for (absl::string_view line : absl::StrSplit(csv, '\n')) {
        const std::vector<std::string> cells = absl::StrSplit(line, ',');
        if (cells.size() > 3 && cells[2] == "federated" &&
            cells[3] == "fold-1") {
          files.push_back(cells[0]);
        }
      }
    }
    return files;
  }

  // Copies `data` to `other`, and gives each case that fold 1 holds out in the
  // run `out` the image of the next such case but some.
  void Permute(const std::string& out) {
    std::filesystem::copy(Path("data"), Path("other"),
                          std::filesystem::copy_options::recursive);
    const std::vector<std::string> files = HeldOutFiles(out);
    ASSERT_GT(files.size(), 50u);
    for (size_t i = 0; i < files.size(); ++i) {
      const auto image = [&](const char* data, size_t at) {
        return Path(absl::StrCat(data, "/images/",
                                 std::filesystem::path(files[at % files.size()])
                                     .filename()
                                     .string()));
      };
      ASSERT_TRUE(FileExists(image("data", i))) << image("data", i);
      std::filesystem::copy_file(
          image("data", i + 29), image("other", i),
          std::filesystem::copy_options::overwrite_existing);
    }
  }

  // Runs the study with both sets of images, and compares the digests of fold
  // 1's models.
  void ExpectNoTrace(const std::string& study, bool baselines) {
    const json before = Run(study, "data", "before", baselines);
    ASSERT_FALSE(HasFailure());
    ASSERT_NO_FATAL_FAILURE(Permute("before"));
    const json after = Run(study, "other", "after", baselines);
    ASSERT_FALSE(HasFailure());
    const json& was = before["arms"]["whole"];
    const json& is = after["arms"]["whole"];
    // The cases were changed: fold 1 scores them otherwise, and fold 2 learns
    // something else.
    EXPECT_NE(was["federated"]["tracks"]["fold-1"]["mean_loss"],
              is["federated"]["tracks"]["fold-1"]["mean_loss"]);
    EXPECT_NE(was["federated"]["tracks"]["fold-2"]["model_sha256"],
              is["federated"]["tracks"]["fold-2"]["model_sha256"]);
    for (const auto& [model, scores] : was.items()) {
      const json& sha256 = scores["tracks"]["fold-1"]["model_sha256"];
      EXPECT_FALSE(sha256.is_null()) << model;
      EXPECT_EQ(sha256, is[model]["tracks"]["fold-1"]["model_sha256"]) << model;
    }
    EXPECT_EQ(was.size(), baselines ? 3u : 1u);
    // The last models of a track that stopped are its own, too.
    const std::string last = "/model/last/whole-fold-1.safetensors";
    EXPECT_TRUE(ReadFile(Path("before" + last)).value_or("") ==
                ReadFile(Path("after" + last)).value_or(""));
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/held-out-", getpid(), "-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
};

// The learning rate is so high that validation losses go up and down.
constexpr char kSmall[] = R"(name: tiny
classes: [covid19, normal, bacterial, viral]
arms: [whole]
model: {architecture: hilum_small, trainable: all, input_size: 32}
cross_validation: {folds: 2}
seed: 3
)";

TEST_F(HeldOutTest, ValidationWithPatienceOfSitesAndBaselines) {
  ExpectNoTrace(absl::StrCat(kSmall, R"(training:
  rounds: 6
  local_epochs: 1
  batch_size: 4
  optimizer: {kind: adamw, learning_rate: 0.01}
  validation: {share: 0.4, patience: 1}
)"),
                true);
}

TEST_F(HeldOutTest, ValidationWithoutPatience) {
  ExpectNoTrace(absl::StrCat(kSmall, R"(training:
  rounds: 5
  local_epochs: 1
  batch_size: 4
  optimizer: {kind: adamw, learning_rate: 0.01}
  validation: {share: 0.4}
aggregation: {secure_aggregation: off}
)"),
                false);
}

TEST_F(HeldOutTest, LocalBatchNormalisation) {
  ExpectNoTrace(R"(name: tiny
classes: [covid19, normal, bacterial, viral]
arms: [whole]
model: {architecture: densenet121, trainable: last_blocks, last_blocks: 1,
        input_size: 32, batch_norm: local}
cross_validation: {folds: 2, skip_final_track: true}
training:
  rounds: 4
  local_epochs: 1
  batch_size: 8
  optimizer: {kind: adamw, learning_rate: 0.001}
  validation: {share: 0.4, patience: 1}
evaluation: {localization: false}
aggregation: {secure_aggregation: off}
seed: 3
)",
                false);
}

}  // namespace
}  // namespace hilum
