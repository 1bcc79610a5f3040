// SPDX-License-Identifier: Apache-2.0
#include "common/model/hilum_small.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/tensor_list.h"

namespace hilum {
namespace {

void AddResidual(TensorList& list, const std::string& name, int out, int in) {
  list.Conv(name + ".conv1", out, in, 3);
  list.GroupNorm(name + ".norm1", out, Init::kOne);
  list.Conv(name + ".conv2", out, out, 3);
  list.GroupNorm(name + ".norm2", out, Init::kZero);
  if (in != out) list.Conv(name + ".shortcut", out, in, 1);
}

}  // namespace

Architecture HilumSmall(const ModelShape& shape) {
  TensorList list(shape);
  list.Conv("stem.conv", kHilumSmallStemChannels, shape.input_channels, 3);
  list.GroupNorm("stem.norm", kHilumSmallStemChannels, Init::kOne);
  int channels = kHilumSmallStemChannels;
  for (int stage = 0; stage < kHilumSmallStages; ++stage) {
    list.Block(stage + 1);
    for (int i = 0; i < kHilumSmallDepths[stage]; ++i) {
      AddResidual(list, absl::StrCat("stage", stage + 1, ".", i),
                  kHilumSmallChannels[stage], channels);
      channels = kHilumSmallChannels[stage];
    }
  }
  return std::move(list).WithHead("head", channels, channels);
}

}  // namespace hilum
