// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/optimizer.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/base/rng.h"

namespace hilum {
namespace {

constexpr int kSteps = 7;
constexpr int kSize = 50;

// The textbook's formulas, one number at a time, in double.
struct Reference {
  v1::Optimizer options;
  double clip = 0, factor = 1;
  std::vector<double> value, first, second;
  int steps = 0;

  void Step(std::vector<double> gradient, double rate) {
    ++steps;
    double norm = 0;
    for (double g : gradient) norm += g * g;
    norm = std::sqrt(norm);
    for (size_t i = 0; i < value.size(); ++i) {
      double g = gradient[i];
      if (clip > 0 && norm > clip) g *= clip / norm;
      if (options.kind() != v1::Optimizer::KIND_ADAMW) {
        g += options.weight_decay() * value[i];
      } else {
        value[i] -= rate * options.weight_decay() * value[i];
      }
      if (options.kind() == v1::Optimizer::KIND_SGD) {
        first[i] = options.momentum() * first[i] + g;
        value[i] -= rate * first[i];
        continue;
      }
      first[i] = 0.9 * first[i] + 0.1 * g;
      second[i] = 0.999 * second[i] + 0.001 * g * g;
      const double m = first[i] / (1 - std::pow(0.9, steps));
      const double v = second[i] / (1 - std::pow(0.999, steps));
      value[i] -= rate * m / (std::sqrt(v) + 1e-8);
    }
  }
};

v1::Training Options(v1::Optimizer::Kind kind, double momentum, double decay,
                     double clip) {
  v1::Training training;
  training.mutable_optimizer()->set_kind(kind);
  training.mutable_optimizer()->set_learning_rate(0.05);
  training.mutable_optimizer()->set_momentum(momentum);
  training.mutable_optimizer()->set_weight_decay(decay);
  training.set_gradient_clipping_norm(clip);
  return training;
}

void ExpectReference(const v1::Training& training) {
  Rng rng(3, "optimizer");
  at::Tensor x = at::zeros({kSize});
  Reference reference{.options = training.optimizer(),
                      .clip = training.gradient_clipping_norm(),
                      .first = std::vector<double>(kSize),
                      .second = std::vector<double>(kSize)};
  for (int i = 0; i < kSize; ++i) {
    x.data_ptr<float>()[i] = static_cast<float>(rng.Normal());
    reference.value.push_back(x.data_ptr<float>()[i]);
  }
  x.set_requires_grad(true);
  Optimizer optimizer(training, {x}, {0});
  for (int step = 0; step < kSteps; ++step) {
    std::vector<double> gradient;
    at::Tensor g = at::zeros({kSize});
    for (int i = 0; i < kSize; ++i) {
      g.data_ptr<float>()[i] = static_cast<float>(rng.Normal());
      gradient.push_back(g.data_ptr<float>()[i]);
    }
    x.mutable_grad() = g;
    const double factor = 1.0 / (step + 1);
    optimizer.Step(factor);
    reference.Step(gradient, 0.05 * factor);
    EXPECT_FALSE(x.grad().defined());
  }
  for (int i = 0; i < kSize; ++i) {
    ASSERT_NEAR(x.data_ptr<float>()[i], reference.value[i], 2e-6);
  }
}

TEST(OptimizerTest, IsTheTextbooks) {
  for (double decay : {0.0, 0.1}) {
    for (double clip : {0.0, 2.0}) {
      ExpectReference(Options(v1::Optimizer::KIND_SGD, 0, decay, clip));
      ExpectReference(Options(v1::Optimizer::KIND_SGD, 0.9, decay, clip));
      ExpectReference(Options(v1::Optimizer::KIND_ADAM, 0, decay, clip));
      ExpectReference(Options(v1::Optimizer::KIND_ADAMW, 0, decay, clip));
    }
  }
}

TEST(OptimizerTest, BlocksFarFromTheHeadLearnSlower) {
  v1::Training training = Options(v1::Optimizer::KIND_SGD, 0, 0, 0);
  training.mutable_optimizer()->set_layer_decay(0.5);
  at::Tensor head = at::zeros({1}), below = at::zeros({1});
  Optimizer optimizer(training, {head, below}, {0, 3});
  head.mutable_grad() = at::ones({1});
  below.mutable_grad() = at::ones({1});
  optimizer.Step(1);
  EXPECT_FLOAT_EQ(head.item<float>(), -0.05f);
  EXPECT_FLOAT_EQ(below.item<float>(), -0.05f / 8);
}

TEST(OptimizerTest, ResetForgetsMomentum) {
  const v1::Training training = Options(v1::Optimizer::KIND_SGD, 0.9, 0, 0);
  at::Tensor x = at::zeros({1});
  Optimizer optimizer(training, {x}, {0});
  x.mutable_grad() = at::ones({1});
  optimizer.Step(1);
  optimizer.Reset();
  x.mutable_grad() = at::zeros({1});
  optimizer.Step(1);
  EXPECT_FLOAT_EQ(x.item<float>(), -0.05f);
}

}  // namespace
}  // namespace hilum
