// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent, Adam, AdamW. A step is one pass over memory.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_OPTIMIZER_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_OPTIMIZER_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "hilum/v1/study.pb.h"

namespace hilum {

// An optimiser. Life: Reset, then Step after each backward pass. Weight decay
// applies to every parameter, as in PyTorch. Bits do not depend on the number
// of threads. Source: Sutskever et al. 2013 in PyTorch's form (v = m v + g; p
// -= rate v), Kingma, Ba 2015 (Adam, betas 0.9 and 0.999, eps 1e-8),
// Loshchilov, Hutter 2019 (AdamW).
class Optimizer {
 public:
  // `parameters`: contiguous float32 leaves. `distances`, one for each
  // parameter: blocks between it and the head, for layer_decay.
  Optimizer(const v1::Training& training, std::vector<at::Tensor> parameters,
            const std::vector<int>& distances);

  // Forgets momenta and gradients.
  void Reset();
  void DropGradients();

  // Returns the existing gradients, in the order of the parameters.
  std::vector<at::Tensor> Gradients() const;
  // Returns the L2 norm of all gradients together.
  double GradientNorm() const;

  // Makes one step at learning_rate * rate_factor. Scales gradients down to the
  // study's gradient_clipping_norm if they exceed it; clears them.
  void Step(double rate_factor);

 private:
  struct Parameter {
    at::Tensor value, first, second;  // the moments, undefined until needed
    double rate;                      // without the schedule's factor
  };

  void StepSgd(Parameter& p, const at::Tensor& gradient, double rate,
               double scale);
  void StepAdam(Parameter& p, const at::Tensor& gradient, double rate,
                double scale);

  const v1::Optimizer options_;
  const double clipping_norm_;
  std::vector<Parameter> parameters_;
  int steps_ = 0;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_OPTIMIZER_H_
