// SPDX-License-Identifier: Apache-2.0
// Tests that Python's torch opens the .pth files of an export, where it is
// installed (Debian: python3-torch), and finds the values of the safetensors.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/model/weights_file.h"
#include "tests/coordinator/fake_site.h"
#include "tests/support/run_command.h"

namespace hilum {
namespace {

std::string TextOf(const NamedTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.view.size()));
  EXPECT_TRUE(CopyAsFloat32(tensor.name, tensor.view, values.data()).ok());
  return absl::StrCat(
      tensor.name, ";", absl::StrJoin(tensor.view.shape, ","), ";",
      absl::StrJoin(values, ",", [](std::string* out, float value) {
        absl::StrAppendFormat(out, "%.9g", value);
      }));
}

// Runs a TinyStudy from its census to its export.
void RunAndExport(const std::string& state, const std::string& out) {
  auto core = FederationCore::Open({.state_dir = state}, RealClock()).value();
  const v1::Study study = TinyStudy();
  const ParameterLayout layout = StudyLayout(study).value();
  const std::string hash = core->SubmitStudy(study, "").value();
  const std::vector<float> delta(
      static_cast<size_t>(layout.travelling_size) * 3, 0.125f);
  FakeSite a(*core, "a", hash), b(*core, "b", hash);
  for (FakeSite* site : {&a, &b}) {
    ASSERT_TRUE(
        site->SendCensus(layout.manifest_sha256, site->Next().task()).ok());
  }
  for (int round = 1; round <= 2; ++round) {
    for (FakeSite* site : {&a, &b}) {
      ASSERT_TRUE(site->SendUpdate(site->Next().task(), delta).ok());
    }
  }
  for (FakeSite* site : {&a, &b}) {
    ASSERT_TRUE(site->SendEvaluation(site->Next().task()).ok());
  }
  ASSERT_TRUE(a.Next().ended().completed());
  const auto files = core->ExportStudy(hash, out);
  ASSERT_TRUE(files.ok()) << files.status();
}

TEST(ExportTorchTest, PthHoldsTheTensorsOfTheSafetensors) {
  const std::string python = "/usr/bin/python3";
  if (RunCommand(python + " -c 'import torch' 2>&1").second != 0) {
    GTEST_SKIP() << "no torch in " << python << "; Debian has python3-torch";
  }
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/export-torch-", getpid());
  std::filesystem::remove_all(folder);
  RunAndExport(folder + "/state", folder + "/out");
  const std::string stem = folder + "/out/model/whole-final";
  auto [said, status] = RunCommand(absl::StrCat(
      python, " ", HILUM_SOURCE_DIR,
      "/tests/common/model/torch_files.py check ", stem, ".pth 2>&1"));
  ASSERT_EQ(status, 0) << said;
  std::vector<std::string> lines =
      absl::StrSplit(said, '\n', absl::SkipEmpty());
  std::sort(lines.begin(), lines.end());
  std::vector<std::string> want;
  const auto file = WeightsFile::Open(stem + ".safetensors").value();
  for (const NamedTensor& tensor : file.tensors()) {
    want.push_back(TextOf(tensor));
  }
  std::sort(want.begin(), want.end());
  EXPECT_EQ(lines, want);
  std::filesystem::remove_all(folder);
}

// Runs the model card's Python example in the folder of the models.
TEST(ExportTorchTest, TheModelCardsExampleRuns) {
  const std::string python = "/usr/bin/python3";
  if (RunCommand(python + " -c 'import torch, numpy, PIL' 2>&1").second != 0) {
    GTEST_SKIP() << "no torch, numpy or PIL in " << python;
  }
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/export-example-", getpid());
  std::filesystem::remove_all(folder);
  RunAndExport(folder + "/state", folder + "/out");
  const std::string model = folder + "/out/model";
  EXPECT_TRUE(FileExists(model + "/hilum_small.py"));
  const std::string card = ReadFile(model + "/README.md").value();
  const std::string fence = "```python\n";
  const size_t begin = card.find(fence) + fence.size();
  const std::string example =
      card.substr(begin, card.find("```", begin) - begin);
  EXPECT_LE(std::count(example.begin(), example.end(), '\n'), 12);
  ASSERT_TRUE(
      WriteFileAtomically(model + "/example.py",
                          absl::StrCat("from PIL import Image\n"
                                       "Image.linear_gradient(\"L\").save("
                                       "\"chest.png\")\n",
                                       example))
          .ok());
  auto [said, status] = RunCommand(
      absl::StrCat("cd ", model, " && ", python, " example.py 2>&1"));
  ASSERT_EQ(status, 0) << said;
  const v1::Study study = TinyStudy();
  for (const std::string& label : study.classes()) {
    EXPECT_NE(said.find(absl::StrCat("'", label, "': ")), std::string::npos)
        << said;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hilum
