// SPDX-License-Identifier: Apache-2.0
#include "common/model/hilum_small.h"

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

class Tensors {
 public:
  explicit Tensors(std::vector<TensorSpec>& tensors) : tensors_(tensors) {}

  void Conv(const std::string& name, int out, int in, int kernel, int block) {
    tensors_.push_back(
        {name + ".weight", {out, in, kernel, kernel}, Init::kHeNormal, block});
  }
  void Norm(const std::string& name, int channels, Init gamma, int block) {
    tensors_.push_back({name + ".weight", {channels}, gamma, block});
    tensors_.push_back({name + ".bias", {channels}, Init::kZero, block});
  }
  void Residual(const std::string& name, int out, int in, int block) {
    Conv(name + ".conv1", out, in, 3, block);
    Norm(name + ".norm1", out, Init::kOne, block);
    Conv(name + ".conv2", out, out, 3, block);
    Norm(name + ".norm2", out, Init::kZero, block);
    if (in != out) Conv(name + ".shortcut", out, in, 1, block);
  }

 private:
  std::vector<TensorSpec>& tensors_;
};

}  // namespace

Architecture HilumSmall(int num_classes) {
  Architecture architecture{.name = "hilum_small",
                            .input_channels = 1,
                            .num_blocks = kHilumSmallStages + 1,
                            .tensors = {}};
  Tensors tensors(architecture.tensors);
  tensors.Conv("stem.conv", kHilumSmallStemChannels, 1, 3, 0);
  tensors.Norm("stem.norm", kHilumSmallStemChannels, Init::kOne, 0);
  int channels = kHilumSmallStemChannels;
  for (int stage = 0; stage < kHilumSmallStages; ++stage) {
    for (int i = 0; i < kHilumSmallDepths[stage]; ++i) {
      tensors.Residual(absl::StrCat("stage", stage + 1, ".", i),
                       kHilumSmallChannels[stage], channels, stage + 1);
      channels = kHilumSmallChannels[stage];
    }
  }
  const int head = architecture.num_blocks;
  architecture.tensors.push_back(
      {"head.weight", {num_classes, channels}, Init::kHeNormal, head});
  architecture.tensors.push_back(
      {"head.bias", {num_classes}, Init::kZero, head});
  return architecture;
}

}  // namespace hilum
