// SPDX-License-Identifier: Apache-2.0
// Builds the tables of the architectures.
#ifndef HILUM_COMMON_MODEL_TENSOR_LIST_H_
#define HILUM_COMMON_MODEL_TENSOR_LIST_H_

#include <string>

#include "common/model/architecture.h"

namespace hilum {

// Appends the tensors of one layer after another to an architecture, under the
// keys that PyTorch's state dict of such a module has: `NAME.weight`,
// `NAME.bias`, `NAME.running_mean`, `NAME.running_var`. PyTorch's batch
// normalisation has a fourth, num_batches_tracked, which is no weight and is
// left out.
//
// Starting values: weights of convolutions and linear layers N(0, 2 / fan_in)
// (He), biases 0, scales 1, shifts 0, running means 0 and variances 1.
class TensorList {
 public:
  // `shape` has its channels set; blocks are counted later.
  explicit TensorList(const ModelShape& shape);

  // Sets the block of the tensors that follow.
  void Block(int block) { block_ = block; }

  // [out, in, kernel, kernel]
  void Conv(const std::string& name, int out, int in, int kernel);
  void ConvWithBias(const std::string& name, int out, int in, int kernel);
  // [out, in], [out]
  void Linear(const std::string& name, int out, int in);
  // Appends two tensors of [channels]. `scale`: the scale's starting value.
  void GroupNorm(const std::string& name, int channels, Init scale);
  // Appends four tensors of [channels].
  void BatchNorm(const std::string& name, int channels);

  // Appends the head as the next block and returns the whole architecture.
  // `name` and `in` describe the architecture's own head, one linear layer. If
  // head_units is set, the head is `head.0` [units, map_channels] and `head.3`
  // [classes, units] instead, behind global average pooling.
  Architecture WithHead(const std::string& name, int in, int map_channels) &&;
  // Returns the architecture without a further head.
  Architecture WithoutHead() &&;

 private:
  void Add(const std::string& name, std::vector<int64_t> shape, Init init,
           TensorRole role);

  Architecture architecture_;
  int block_ = 0;
};

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_TENSOR_LIST_H_
