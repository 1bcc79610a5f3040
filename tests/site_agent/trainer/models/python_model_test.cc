// SPDX-License-Identifier: Apache-2.0
// Compares hilum_small with its definition for Python's torch, which an export
// writes beside the weights, where torch is installed (Debian: python3-torch).
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/model/torch_writer.h"
#include "common/model/weights_file.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {
namespace {

// Debian's interpreter: another one may come first on the path.
constexpr char kPython[] = "/usr/bin/python3";

struct Case {
  std::string name;
  ModelShape shape;
};

const Case kCases[] = {{"plain", {.name = "hilum_small", .classes = 4}},
                       {"units",
                        {.name = "hilum_small",
                         .classes = 4,
                         .head_units = 24,
                         .input_channels = 3}}};

// No value is 0, as many starting values are.
std::vector<float> Values(const Architecture& architecture) {
  std::vector<float> values = InitialWeights(architecture, 4);
  Rng rng(4, "values");
  for (float& value : values) {
    value += 0.2f * static_cast<float>(rng.Uniform() - 0.5);
  }
  return values;
}

at::Tensor Read(const WeightsFile& file, const std::string& name) {
  for (const NamedTensor& tensor : file.tensors()) {
    if (tensor.name != name) continue;
    at::Tensor values = at::empty(tensor.view.shape, at::kFloat);
    EXPECT_TRUE(
        CopyAsFloat32(name, tensor.view, values.data_ptr<float>()).ok());
    return values;
  }
  ADD_FAILURE() << "no " << name;
  return at::empty({0});
}

TEST(PythonModelTest, PythonComputesTheSameLogits) {
  if (std::system(
          absl::StrCat(kPython, " -c 'import torch' 2>/dev/null").c_str()) !=
      0) {
    GTEST_SKIP() << "no torch in " << kPython << "; Debian has python3-torch";
  }
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/python-model-", getpid());
  ASSERT_TRUE(MakeDirectories(folder).ok());
  for (const Case& one : kCases) {
    const Architecture small = LookUpArchitecture(one.shape).value();
    ASSERT_TRUE(WriteTorchFile(absl::StrCat(folder, "/", one.name, ".pth"),
                               small, Values(small))
                    .ok());
  }
  const std::string run = absl::StrCat(
      kPython, " ", HILUM_SOURCE_DIR,
      "/tests/site_agent/trainer/models/hilum_small_python.py ",
      HILUM_SOURCE_DIR, "/coordinator/report/hilum_small.py ", folder);
  ASSERT_EQ(std::system(run.c_str()), 0);
  for (const Case& one : kCases) {
    const Architecture small = LookUpArchitecture(one.shape).value();
    std::vector<float> values = Values(small);
    std::vector<at::Tensor> tensors;
    float* next = values.data();
    for (const TensorSpec& spec : small.tensors) {
      tensors.push_back(at::from_blob(next, spec.shape, at::kFloat));
      next += spec.size();
    }
    const auto network = MakeNetwork(small, tensors).value();
    const WeightsFile truth =
        WeightsFile::Open(absl::StrCat(folder, "/", one.name, "-truth.pth"))
            .value();
    at::NoGradGuard no_grad;
    const at::Tensor ours = hilum::Run(*network, 0, network->num_blocks() + 1,
                                       Read(truth, "input"), {});
    const at::Tensor theirs = Read(truth, "logits");
    ASSERT_EQ(ours.sizes(), theirs.sizes());
    EXPECT_GT(theirs.abs().max().item<double>(), 0.05) << one.name;
    EXPECT_LE((ours - theirs).abs().max().item<double>(), 1e-5) << one.name;
    const at::Tensor gray = Read(truth, "gray");
    const float* pixels = gray.data_ptr<float>();
    const GrayImage image{static_cast<int>(gray.size(0)),
                          static_cast<int>(gray.size(1)),
                          {pixels, pixels + gray.numel()}};
    const Plane plane = PrepareWhole(image, 72).value();
    const at::Tensor prepared = Read(truth, "prepared");
    ASSERT_EQ(static_cast<size_t>(prepared.numel()), plane.size());
    for (size_t i = 0; i < plane.size(); ++i) {
      ASSERT_NEAR(plane[i] / 65535.0, prepared.data_ptr<float>()[i], 1e-5)
          << one.name << " " << i;
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hilum
