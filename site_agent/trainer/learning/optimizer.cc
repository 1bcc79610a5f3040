// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/optimizer.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

namespace hilum {
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
constexpr int64_t kGrain = 1 << 15;  // elements worth a thread

bool IsPlain(const at::Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.is_contiguous();
}

// Calls the body for each element, in parallel.
template <typename Body>
void ForElements(int64_t count, const Body& body) {
  at::parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace

Optimizer::Optimizer(const v1::Training& training,
                     std::vector<at::Tensor> parameters,
                     const std::vector<int>& distances)
    : options_(training.optimizer()),
      clipping_norm_(training.gradient_clipping_norm()) {
  const double decay = options_.layer_decay() == 0 ? 1 : options_.layer_decay();
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters_.push_back(
        {.value = std::move(parameters[i]),
         .first = {},
         .second = {},
         .rate = options_.learning_rate() * std::pow(decay, distances[i])});
  }
}

void Optimizer::Reset() {
  steps_ = 0;
  DropGradients();
  for (Parameter& p : parameters_) p.first = p.second = at::Tensor();
}

void Optimizer::DropGradients() {
  for (Parameter& p : parameters_) p.value.mutable_grad() = at::Tensor();
}

std::vector<at::Tensor> Optimizer::Gradients() const {
  std::vector<at::Tensor> gradients;
  for (const Parameter& p : parameters_) {
    if (p.value.grad().defined()) gradients.push_back(p.value.grad());
  }
  return gradients;
}

double Optimizer::GradientNorm() const {
  double sum = 0;
  for (const at::Tensor& gradient : Gradients()) {
    const double norm = gradient.norm().item<double>();
    sum += norm * norm;
  }
  return std::sqrt(sum);
}

void Optimizer::StepSgd(Parameter& p, const at::Tensor& gradient, double rate,
                        double scale) {
  const bool moves = options_.momentum() != 0;
  if (moves && !p.first.defined()) p.first = at::zeros_like(p.value);
  if (!IsPlain(p.value) || !IsPlain(gradient)) {
    at::Tensor g = gradient * scale + p.value * options_.weight_decay();
    if (moves) g = p.first.mul_(options_.momentum()).add_(g);
    p.value.add_(g, -rate);
    return;
  }
  float* x = p.value.data_ptr<float>();
  const float* g = gradient.data_ptr<float>();
  const float m = static_cast<float>(options_.momentum());
  const float w = static_cast<float>(options_.weight_decay());
  const float s = static_cast<float>(scale), r = static_cast<float>(rate);
  if (!moves) {
    ForElements(p.value.numel(),
                [=](int64_t i) { x[i] -= r * (g[i] * s + x[i] * w); });
    return;
  }
  float* v = p.first.data_ptr<float>();
  ForElements(p.value.numel(), [=](int64_t i) {
    v[i] = m * v[i] + (g[i] * s + x[i] * w);
    x[i] -= r * v[i];
  });
}

void Optimizer::StepAdam(Parameter& p, const at::Tensor& gradient, double rate,
                         double scale) {
  if (!p.first.defined()) {
    p.first = at::zeros_like(p.value);
    p.second = at::zeros_like(p.value);
  }
  const bool apart = options_.kind() == v1::Optimizer::KIND_ADAMW;
  const double w = options_.weight_decay();
  const double step = rate / (1 - std::pow(kBeta1, steps_));
  const double bias2 = std::sqrt(1 - std::pow(kBeta2, steps_));
  const double keep = apart ? 1 - rate * w : 1;
  const double l2 = apart ? 0 : w;
  if (!IsPlain(p.value) || !IsPlain(gradient)) {
    const at::Tensor g = gradient * scale + p.value * l2;
    p.first.mul_(kBeta1).add_(g, 1 - kBeta1);
    p.second.mul_(kBeta2).addcmul_(g, g, 1 - kBeta2);
    p.value.mul_(keep).addcdiv_(p.first, at::sqrt(p.second) / bias2 + kEpsilon,
                                -step);
    return;
  }
  float* x = p.value.data_ptr<float>();
  float* first = p.first.data_ptr<float>();
  float* second = p.second.data_ptr<float>();
  const float* gradients = gradient.data_ptr<float>();
  const float s = static_cast<float>(scale), d = static_cast<float>(l2);
  const float k = static_cast<float>(keep), r = static_cast<float>(step);
  const float b1 = static_cast<float>(kBeta1), b2 = static_cast<float>(kBeta2);
  const float unbias = static_cast<float>(1 / bias2);
  const float eps = static_cast<float>(kEpsilon);
  ForElements(p.value.numel(), [=](int64_t i) {
    const float g = gradients[i] * s + x[i] * d;
    first[i] = b1 * first[i] + (1 - b1) * g;
    second[i] = b2 * second[i] + (1 - b2) * g * g;
    x[i] = k * x[i] - r * first[i] / (std::sqrt(second[i]) * unbias + eps);
  });
}

void Optimizer::Step(double rate_factor) {
  at::NoGradGuard no_grad;
  ++steps_;
  double scale = 1;
  if (clipping_norm_ > 0) {
    const double norm = GradientNorm();
    if (norm > clipping_norm_) scale = clipping_norm_ / norm;
  }
  for (Parameter& p : parameters_) {
    const at::Tensor gradient = p.value.grad();
    if (!gradient.defined()) continue;
    if (options_.kind() == v1::Optimizer::KIND_SGD) {
      StepSgd(p, gradient, p.rate * rate_factor, scale);
    } else {
      StepAdam(p, gradient, p.rate * rate_factor, scale);
    }
    // Without a gradient, the next backward pass stores its own and adds
    // nothing.
    p.value.mutable_grad() = at::Tensor();
  }
}

}  // namespace hilum
