// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/grad_cam.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "site_agent/imaging/prepare.h"

namespace hilum {
namespace {

constexpr int kSize = 8, kChannels = 3, kClasses = 2;

at::Tensor Noise(std::vector<int64_t> shape, uint64_t seed, double low,
                 double high) {
  Rng rng(seed, "noise");
  at::Tensor out = at::empty(shape, at::kDouble);
  for (int64_t i = 0; i < out.numel(); ++i) {
    out.data_ptr<double>()[i] = low + (high - low) * rng.Uniform();
  }
  return out;
}

// Uses doubles, so that differences are exact enough: convolutions to 4 x 4 and
// to 2 x 2 places, which pooling keeps, and a head that is not linear.
class TinyNetwork : public Network {
 public:
  TinyNetwork() : Network(2, 2) {}

  at::Tensor Block(int block, const at::Tensor& x, const Pass&) override {
    if (block == 2) return at::linear(at::tanh(at::linear(x, hidden)), head);
    return at::relu(at::conv2d(x, conv[block], {}, {2, 2}, {1, 1}));
  }
  at::Tensor Pool(const at::Tensor& map) override { return map.flatten(1); }

  at::Tensor conv[2] = {Noise({kChannels, 1, 3, 3}, 1, -1, 1),
                        Noise({kChannels, kChannels, 3, 3}, 5, -1, 1)};
  at::Tensor hidden = Noise({5, kChannels * 4}, 2, -0.5, 0.5);
  at::Tensor head = Noise({kClasses, 5}, 3, -1, 1);
};

// Returns the gradient of a class's logit by finite differences, [channels *
// places^2]. `next`: the block that takes the map.
std::vector<double> Differences(TinyNetwork& network, const at::Tensor& map,
                                int next, int label) {
  constexpr double kStep = 1e-5;
  std::vector<double> gradient;
  auto logit = [&](int64_t at, double by) {
    at::Tensor moved = map.clone();
    moved.data_ptr<double>()[at] += by;
    if (next == 2) moved = network.Pool(moved);
    return Run(network, next, 3, moved, {})[0][label].item<double>();
  };
  for (int64_t i = 0; i < map.numel(); ++i) {
    gradient.push_back((logit(i, kStep) - logit(i, -kStep)) / (2 * kStep));
  }
  return gradient;
}

// Computes the papers' sums over `n` places, one after the other.
double SlowWeight(const double* a, const double* g, int n, CamMethod method) {
  double sum_a = 0, weight = 0;
  for (int i = 0; i < n; ++i) sum_a += a[i];
  for (int i = 0; i < n; ++i) {
    if (method == CamMethod::kGradCam) {
      weight += g[i] / n;
    } else if (g[i] > 0) {
      weight +=
          g[i] * g[i] / (2 * g[i] * g[i] + sum_a * g[i] * g[i] * g[i]) * g[i];
    }
  }
  return weight;
}

// Computes the heat from a map of places x places, 4 or 2.
std::vector<float> SlowMap(TinyNetwork& network, const at::Tensor& x, int label,
                           CamMethod method, int places) {
  const int next = places == 4 ? 1 : 2, n = places * places;
  at::Tensor map = network.Block(0, x, {});
  if (next == 2) map = network.Block(1, map, {});
  std::vector<double> gradient = Differences(network, map, next, label);
  std::vector<double> sums(n);
  for (int k = 0; k < kChannels; ++k) {
    const double* a = map.data_ptr<double>() + k * n;
    const double weight = SlowWeight(a, &gradient[k * n], n, method);
    for (int i = 0; i < n; ++i) sums[i] += weight * a[i];
  }
  GrayImage heat{places, places, {}};
  for (double sum : sums) {
    heat.pixels.push_back(static_cast<float>(std::max(0.0, sum)));
  }
  heat = ResizeImage(heat, kSize, kSize);
  const float most = *std::max_element(heat.pixels.begin(), heat.pixels.end());
  for (float& v : heat.pixels) v = most > 0 ? v / most : 0;
  return heat.pixels;
}

// Uses the last map before pooling, and an earlier one.
TEST(GradCamTest, MapsAreThePapersByDifferences) {
  TinyNetwork network;
  const at::Tensor x = Noise({4, 1, kSize, kSize}, 4, 0, 1);
  const std::vector<int> classes = {0, 1, 1, 0};
  for (int places : {2, 4}) {
    GradCam cam(network, x, places);
    ASSERT_EQ(cam.places(), places);
    for (CamMethod method :
         {CamMethod::kGradCam, CamMethod::kGradCamPlusPlus}) {
      at::Tensor maps = cam.Maps(classes, method).contiguous();
      ASSERT_EQ(maps.sizes(), (at::IntArrayRef{4, kSize, kSize}));
      double heat = 0;
      for (int i = 0; i < 4; ++i) {
        std::vector<float> slow =
            SlowMap(network, x.slice(0, i, i + 1), classes[i], method, places);
        for (int p = 0; p < kSize * kSize; ++p) {
          const double got = maps.data_ptr<double>()[i * kSize * kSize + p];
          EXPECT_NEAR(got, slow[p], 1e-5) << places << " " << i << " " << p;
          heat += got;
        }
      }
      EXPECT_GT(heat, 1);  // not all of them empty
    }
  }
}

TEST(GradCamTest, LogitsAreTheNetworks) {
  TinyNetwork network;
  const at::Tensor x = Noise({3, 1, kSize, kSize}, 5, 0, 1);
  GradCam cam(network, x);
  EXPECT_EQ((cam.logits() - hilum::Run(network, 0, 3, x, {}))
                .abs()
                .max()
                .item<double>(),
            0);
}

// Has two maps: the image, and its negative. Class 0 prefers bright places,
// class 1 dark ones, class 2 neither.
class PlantedNetwork : public Network {
 public:
  PlantedNetwork() : Network(1, 1) {}

  at::Tensor Block(int block, const at::Tensor& x, const Pass&) override {
    if (block == 0) return at::stack({x.squeeze(1), 1 - x.squeeze(1)}, 1);
    return at::linear(x, head_);
  }
  at::Tensor Pool(const at::Tensor& map) override { return map.mean({2, 3}); }

 private:
  float weights_[6] = {2, 0, 0, 3, -1, -1};
  at::Tensor head_ = at::from_blob(weights_, {3, 2}, at::kFloat);
};

TEST(GradCamTest, HeatIsWhereItWasPlanted) {
  PlantedNetwork network;
  std::vector<float> pixels(2 * 16, 0.0f);
  pixels[5] = 0.8f;        // of the first case
  pixels[16 + 10] = 0.4f;  // of the second
  const at::Tensor x = at::from_blob(pixels.data(), {2, 1, 4, 4}, at::kFloat);
  GradCam cam(network, x);
  for (CamMethod method : {CamMethod::kGradCam, CamMethod::kGradCamPlusPlus}) {
    at::Tensor bright = cam.Maps({0, 0}, method).contiguous();
    at::Tensor dark = cam.Maps({1, 1}, method).contiguous();
    at::Tensor none = cam.Maps({2, 2}, method).contiguous();
    for (int i = 0; i < 32; ++i) {
      const bool hot = i == 5 || i == 26;
      // Each case is scaled by its own maximum.
      EXPECT_FLOAT_EQ(bright.data_ptr<float>()[i], hot ? 1 : 0) << i;
      EXPECT_NEAR(dark.data_ptr<float>()[i], 1 - pixels[i], 1e-6) << i;
      EXPECT_EQ(none.data_ptr<float>()[i], 0) << i;
    }
  }
}

TEST(GradCamTest, ACaseDoesNotDependOnItsBatch) {
  Architecture architecture =
      *LookUpArchitecture({.name = "hilum_small", .classes = 3});
  std::vector<float> values = InitialWeights(architecture, 3);
  std::vector<at::Tensor> tensors;
  // A head starts at zero, which makes every map zero; so draws other weights.
  Rng rng(4, "head");
  for (size_t i = values.size() - 483; i < values.size(); ++i) {
    values[i] = static_cast<float>(rng.Uniform() - 0.4);
  }
  float* from = values.data();
  for (const TensorSpec& spec : architecture.tensors) {
    tensors.push_back(at::from_blob(from, spec.shape, at::kFloat));
    tensors.back().set_requires_grad(true);
    from += spec.size();
  }
  auto network = *MakeNetwork(architecture, tensors);
  const at::Tensor x = Noise({3, 1, 64, 64}, 6, -2, 2).to(at::kFloat);
  // Gradients are off outside, then on again: neither changes the maps.
  at::NoGradGuard no_grad;
  GradCam together(*network, x);
  for (CamMethod method : {CamMethod::kGradCam, CamMethod::kGradCamPlusPlus}) {
    together.Maps({0, 0, 0}, method);
    const at::Tensor maps = together.Maps({2, 1, 2}, method);
    for (int i = 0; i < 3; ++i) {
      GradCam alone(*network, x.slice(0, i, i + 1));
      const at::Tensor map = alone.Maps({i == 1 ? 1 : 2}, method);
      EXPECT_LT((map[0] - maps[i]).abs().max().item<float>(), 1e-4);
      EXPECT_GT(map.max().item<float>(), 0);
    }
  }
  for (const at::Tensor& tensor : tensors)
    EXPECT_FALSE(tensor.grad().defined());
}

}  // namespace
}  // namespace hilum
