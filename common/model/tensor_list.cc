// SPDX-License-Identifier: Apache-2.0
#include "common/model/tensor_list.h"

#include <utility>

namespace hilum {

TensorList::TensorList(const ModelShape& shape)
    : architecture_{.name = shape.name,
                    .input_channels = shape.input_channels,
                    .num_blocks = 0,
                    .tensors = {},
                    .classes = shape.classes,
                    .head_units = shape.head_units} {}

void TensorList::Conv(const std::string& name, int out, int in, int kernel) {
  Add(name + ".weight", {out, in, kernel, kernel}, Init::kHeNormal,
      TensorRole::kWeight);
}

void TensorList::ConvWithBias(const std::string& name, int out, int in,
                              int kernel) {
  Conv(name, out, in, kernel);
  Add(name + ".bias", {out}, Init::kZero, TensorRole::kBias);
}

void TensorList::Linear(const std::string& name, int out, int in) {
  Add(name + ".weight", {out, in}, Init::kHeNormal, TensorRole::kWeight);
  Add(name + ".bias", {out}, Init::kZero, TensorRole::kBias);
}

void TensorList::GroupNorm(const std::string& name, int channels, Init scale) {
  Add(name + ".weight", {channels}, scale, TensorRole::kNormScale);
  Add(name + ".bias", {channels}, Init::kZero, TensorRole::kNormShift);
}

void TensorList::BatchNorm(const std::string& name, int channels) {
  Add(name + ".weight", {channels}, Init::kOne, TensorRole::kBatchNormScale);
  Add(name + ".bias", {channels}, Init::kZero, TensorRole::kBatchNormShift);
  Add(name + ".running_mean", {channels}, Init::kZero,
      TensorRole::kRunningMean);
  Add(name + ".running_var", {channels}, Init::kOne,
      TensorRole::kRunningVariance);
}

Architecture TensorList::WithHead(const std::string& name, int in,
                                  int map_channels) && {
  architecture_.num_blocks = ++block_;
  const int units = architecture_.head_units;
  if (units == 0) {
    Linear(name, architecture_.classes, in);
  } else {
    Linear("head.0", units, map_channels);
    Linear("head.3", architecture_.classes, units);
  }
  return std::move(architecture_);
}

Architecture TensorList::WithoutHead() && {
  architecture_.num_blocks = ++block_;
  return std::move(architecture_);
}

void TensorList::Add(const std::string& name, std::vector<int64_t> shape,
                     Init init, TensorRole role) {
  architecture_.tensors.push_back({name, std::move(shape), init, block_, role});
}

}  // namespace hilum
