// SPDX-License-Identifier: Apache-2.0
// How the tables of the architectures are written.
#ifndef HILUM_COMMON_MODEL_TENSOR_LIST_H_
#define HILUM_COMMON_MODEL_TENSOR_LIST_H_

#include <string>

#include "common/model/architecture.h"

namespace hilum {

// Appends to an architecture the tensors of one layer after another, under
// the keys that PyTorch's state dict of such a module has: `NAME.weight`,
// `NAME.bias`, `NAME.running_mean`, `NAME.running_var`. Of batch normalisation
// PyTorch has a fourth, num_batches_tracked, which is no weight and left out.
//
// Starts: weights of convolutions and linear layers N(0, 2 / fan_in) (He),
// biases 0, scales 1, shifts 0, running means 0 and variances 1.
class TensorList {
 public:
  // Of `shape`, its channels given; blocks are counted later.
  explicit TensorList(const ModelShape& shape);

  // What comes next belongs to this block.
  void Block(int block) { block_ = block; }

  // [out, in, kernel, kernel]
  void Conv(const std::string& name, int out, int in, int kernel);
  void ConvWithBias(const std::string& name, int out, int in, int kernel);
  // [out, in], [out]
  void Linear(const std::string& name, int out, int in);
  // Two of [channels]. `scale`: where the scale starts.
  void GroupNorm(const std::string& name, int channels, Init scale);
  // Four of [channels].
  void BatchNorm(const std::string& name, int channels);

  // The head: the next block, and with it the architecture is whole. `name`
  // and `in` are of the architecture's own, one linear layer; with head_units
  // it is in its place `head.0` [units, map_channels] and `head.3`
  // [classes, units], behind global average pooling.
  Architecture WithHead(const std::string& name, int in, int map_channels) &&;
  // What is there already is the whole.
  Architecture WithoutHead() &&;

 private:
  void Add(const std::string& name, std::vector<int64_t> shape, Init init,
           TensorRole role);

  Architecture architecture_;
  int block_ = 0;
};

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_TENSOR_LIST_H_
