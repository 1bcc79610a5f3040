// SPDX-License-Identifier: Apache-2.0
// Compares with torchvision, where it is installed (Debian:
// python3-torchvision): reads its files, and computes the same outputs from the
// same input.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/model/weights_file.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {
namespace {

// Debian's interpreter: another one may come first on the path.
constexpr char kPython[] = "/usr/bin/python3";

// Relative to torchvision's largest value. In float32, over a hundred layers,
// two orders of the same sums differ by about 1e-6 of it.
constexpr double kTolerance = 1e-4;

std::map<std::string, at::Tensor> ReadTruth(const std::string& path) {
  WeightsFile file = WeightsFile::Open(path).value();
  std::map<std::string, at::Tensor> tensors;
  for (const NamedTensor& tensor : file.tensors()) {
    at::Tensor values = at::empty(tensor.view.shape, at::kFloat);
    EXPECT_TRUE(
        CopyAsFloat32(tensor.name, tensor.view, values.data_ptr<float>()).ok());
    tensors[tensor.name] = values;
  }
  return tensors;
}

void ExpectNear(const at::Tensor& ours, const at::Tensor& theirs,
                const std::string& what) {
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << what;
  const double scale = theirs.abs().max().item<double>();
  const double difference = (ours - theirs).abs().max().item<double>();
  EXPECT_GT(scale, 0) << what;
  EXPECT_LE(difference, kTolerance * std::max(scale, 1.0)) << what;
  testing::Test::RecordProperty(what, absl::StrCat(difference, " of ", scale));
  std::printf("%-32s differs by %.1e of %.1e\n", what.c_str(), difference,
              scale);
}

class TorchvisionTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    static const int absent = std::system(
        absl::StrCat(kPython, " -c 'import importlib.util as i, sys; ",
                     "sys.exit(i.find_spec(\"torchvision\") is None)'")
            .c_str());
    if (absent != 0) {
      GTEST_SKIP() << "no torchvision here; Debian has python3-torchvision";
    }
    ASSERT_TRUE(MakeDirectories(folder_).ok());
    const std::string make =
        absl::StrCat(kPython, " ", HILUM_SOURCE_DIR,
                     "/tests/site_agent/trainer/models/torchvision_models.py ",
                     GetParam(), " ", folder_);
    ASSERT_EQ(std::system(make.c_str()), 0);
    truth_ = ReadTruth(absl::StrCat(folder_, "/", GetParam(), "-truth.pth"));
    MakeOurs();
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  void MakeOurs() {
    architecture_ = LookUpArchitecture({GetParam(), 5}).value();
    const std::string path = absl::StrCat(folder_, "/", GetParam(), ".pth");
    auto values = ReadWeights(path, architecture_, {});
    ASSERT_TRUE(values.ok()) << values.status();
    values_ = *std::move(values);
    float* next = values_.data();
    for (const TensorSpec& spec : architecture_.tensors) {
      tensors_.push_back(at::from_blob(next, spec.shape, at::kFloat));
      next += spec.size();
    }
    auto network = MakeNetwork(architecture_, tensors_);
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
  }

  at::Tensor Logits(const Pass& pass) {
    return hilum::Run(*network_, 0, network_->num_blocks() + 1,
                      truth_.at("input"), pass);
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/torchvision-", GetParam());
  std::map<std::string, at::Tensor> truth_;
  Architecture architecture_;
  std::vector<float> values_;
  std::vector<at::Tensor> tensors_;  // in values_
  std::unique_ptr<Network> network_;
};

TEST_P(TorchvisionTest, ComputesAndLearnsAsTorchvisionDoes) {
  {
    at::NoGradGuard no_grad;
    ExpectNear(Logits({}), truth_.at("eval"), "eval");
  }
  for (size_t i = 0; i < tensors_.size(); ++i) {
    // Leaves out VGG's hidden layers, which have 100 million parameters.
    tensors_[i].set_requires_grad(IsLearned(architecture_.tensors[i].role) &&
                                  tensors_[i].numel() < 10'000'000);
  }
  const at::Tensor logits = Logits({.update_statistics = true});
  ExpectNear(logits.detach(), truth_.at("train"), "train");
  (logits * truth_.at("slope")).sum().backward();
  int compared = 0;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const std::string& name = architecture_.tensors[i].name;
    if (auto after = truth_.find("after." + name); after != truth_.end()) {
      ExpectNear(tensors_[i], after->second, after->first);
      ++compared;
    }
    if (auto slope = truth_.find("gradient." + name); slope != truth_.end()) {
      ExpectNear(tensors_[i].grad(), slope->second, slope->first);
      ++compared;
    }
  }
  EXPECT_EQ(compared + 4, truth_.size());
}

INSTANTIATE_TEST_SUITE_P(All, TorchvisionTest,
                         testing::Values("vgg16", "vgg16_bn", "resnet18",
                                         "resnet50", "densenet121"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hilum
