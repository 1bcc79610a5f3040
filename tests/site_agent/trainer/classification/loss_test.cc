// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/loss.h"

#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hilum {
namespace {

constexpr int kCases = 3, kClasses = 4;

struct Sample {
  std::vector<float> logits = {2, -1, 0.5, 0, 0, 0, 0, 0, -3, 4, 1, 9};
  std::vector<int64_t> labels = {0, 2, 1};
  std::vector<float> weights = {1, 0.5, 2};

  at::Tensor Logits() {
    return at::from_blob(logits.data(), {kCases, kClasses}, at::kFloat);
  }
  double Loss(const v1::Training& training) {
    return LossSum(
               Logits(), at::from_blob(labels.data(), {kCases, 1}, at::kLong),
               at::from_blob(weights.data(), {kCases, 1}, at::kFloat), training)
        .item<double>();
  }
  // Computes the formula in loss.h.
  double Reference(double gamma, double smoothing) const {
    double sum = 0;
    for (int i = 0; i < kCases; ++i) {
      double total = 0, mean = 0;
      for (int c = 0; c < kClasses; ++c) {
        total += std::exp(logits[i * kClasses + c]);
      }
      for (int c = 0; c < kClasses; ++c) {
        mean += (std::log(total) - logits[i * kClasses + c]) / kClasses;
      }
      const double ce = std::log(total) - logits[i * kClasses + labels[i]];
      sum += weights[i] * std::pow(1 - std::exp(-ce), gamma) *
             ((1 - smoothing) * ce + smoothing * mean);
    }
    return sum;
  }
};

TEST(LossTest, IsTheFormula) {
  for (double gamma : {0.0, 1.0, 2.0}) {
    for (double smoothing : {0.0, 0.1}) {
      v1::Training training;
      training.set_focal_gamma(gamma);
      training.set_label_smoothing(smoothing);
      Sample sample;
      EXPECT_NEAR(sample.Loss(training), sample.Reference(gamma, smoothing),
                  1e-5);
    }
  }
}

TEST(LossTest, FocalGradientOfACaseThatIsSureIsFinite) {
  v1::Training training;
  training.set_focal_gamma(0.5);
  std::vector<float> values = {50, 0};
  std::vector<int64_t> label = {0};
  std::vector<float> weight = {1};
  at::Tensor logits = at::from_blob(values.data(), {1, 2}, at::kFloat).clone();
  logits.set_requires_grad(true);
  LossSum(logits, at::from_blob(label.data(), {1, 1}, at::kLong),
          at::from_blob(weight.data(), {1, 1}, at::kFloat), training)
      .backward();
  EXPECT_TRUE(std::isfinite(logits.grad().norm().item<float>()));
}

}  // namespace
}  // namespace hilum
