// SPDX-License-Identifier: Apache-2.0
// The layers of the networks. Each takes its tensors from a table under
// PyTorch's keys and computes with them. Outputs are new tensors, which may be
// changed in place: no layer here needs its output for its gradient.
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_LAYERS_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_LAYERS_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "common/model/architecture.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {

struct ConvOptions {
  int stride = 1;
  int padding = 0;
  bool bias = false;
};

class Conv {
 public:
  // Square kernels: NAME.weight [out, in, kernel, kernel].
  Conv(TensorTable& table, const std::string& name, int out, int in, int kernel,
       const ConvOptions& options);
  // Maps [n, in, h, w] to [n, out, h', w'].
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
  int stride_, padding_;
};

class Linear {
 public:
  Linear(TensorTable& table, const std::string& name, int out, int in);
  // Maps [n, in] to [n, out].
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
};

// Batch normalisation, eps 1e-5. If Pass::update_statistics, uses the batch's
// mean and biased variance, and moves the running statistics a tenth of the way
// to its mean and unbiased variance. A single value a channel has no variance;
// the running statistics are then used instead and stay unchanged. If
// Pass::ranks, the batch is the union of all ranks' pieces.
class BatchNorm {
 public:
  BatchNorm(TensorTable& table, const std::string& name, int channels);
  at::Tensor operator()(const at::Tensor& x, const Pass& pass) const;

 private:
  at::Tensor OverRanks(const at::Tensor& x, const Pass& pass) const;

  at::Tensor weight_, bias_, mean_, variance_;
};

// Returns twice each value of x [n, ...] with probability 1/2, else 0; x itself
// without Pass::dropout. Draws the mask with our own generator: Torch's is
// global, and two trainers of one process would take turns drawing from it.
at::Tensor Dropout(const at::Tensor& x, const Pass& pass);

// The last block, in the layout of TensorList::WithHead.
class Head {
 public:
  Head(TensorTable& table, const Architecture& architecture,
       const std::string& name, int in, int map_channels);
  // Maps [n, in or map_channels] to the logits [n, classes].
  at::Tensor operator()(const at::Tensor& x, const Pass& pass) const;

 private:
  std::vector<Linear> linears_;  // one, or two with ReLU and dropout between
};

// Maps [n, channels, height, width] to [n, channels].
at::Tensor GlobalAverage(const at::Tensor& map);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_LAYERS_H_
