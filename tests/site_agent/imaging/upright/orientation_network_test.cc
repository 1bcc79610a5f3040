// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/upright/orientation_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "common/base/rng.h"
#include "site_agent/imaging/upright/shipped_orientation.h"

namespace hilum {
namespace {

constexpr int kSide = kOrientationSide;

std::vector<float> RandomWeights(uint64_t seed) {
  Rng rng(seed, "orientation weights");
  std::vector<float> weights(OrientationWeightCount());
  for (float& w : weights) w = static_cast<float>(0.2 * rng.Normal());
  return weights;
}

std::vector<float> RandomPixels(uint64_t seed) {
  Rng rng(seed, "orientation pixels");
  std::vector<float> pixels(kSide * kSide);
  for (float& p : pixels) p = static_cast<float>(rng.Uniform());
  return pixels;
}

// Computes what the header says in double precision: channels first, no
// shortcuts.
double SlowScore(const std::vector<float>& weights,
                 const std::vector<float>& pixels) {
  std::vector<double> in;
  for (float p : pixels) in.push_back((p - 0.5) * 4);
  size_t next = 0;
  int channels = 1, side = kSide;
  for (int out_channels : kOrientationChannels) {
    const size_t biases = next + size_t{9} * channels * out_channels;
    std::vector<double> out;
    for (int o = 0; o < out_channels; ++o) {
      for (int row = 0; row < side / 2; ++row) {
        for (int column = 0; column < side / 2; ++column) {
          double sum = weights[biases + o];
          for (int i = 0; i < channels; ++i) {
            for (int tap = 0; tap < 9; ++tap) {
              const int r = 2 * row + tap / 3 - 1, c = 2 * column + tap % 3 - 1;
              if (r < 0 || c < 0 || r >= side || c >= side) continue;
              sum += weights[next + (size_t(o) * channels + i) * 9 + tap] *
                     in[(size_t(i) * side + r) * side + c];
            }
          }
          out.push_back(std::max(sum, 0.0));
        }
      }
    }
    in = out;
    next = biases + out_channels;
    channels = out_channels;
    side /= 2;
  }
  double score = 0;
  for (double v : in) score += v * weights[next++];
  EXPECT_EQ(next, weights.size());
  return score;
}

TEST(OrientationNetworkTest, ItComputesWhatItsHeaderSays) {
  for (uint64_t seed : {1, 2}) {
    const std::vector<float> weights = RandomWeights(seed);
    auto network = OrientationNetwork::Create(weights);
    ASSERT_TRUE(network.ok()) << network.status();
    const std::vector<float> pixels = RandomPixels(seed);
    const double slow = SlowScore(weights, pixels);
    EXPECT_NEAR(network->Score(pixels), slow, 1e-4 * (1 + std::abs(slow)));
  }
}

TEST(OrientationNetworkTest, OtherWeightsAreRefused) {
  std::vector<float> weights = RandomWeights(1);
  weights.back() = NAN;
  EXPECT_FALSE(OrientationNetwork::Create(weights).ok());
  weights.pop_back();
  EXPECT_FALSE(OrientationNetwork::Create(weights).ok());
  for (const char* wrong :
       {"", "short", "\xff\xff\xff\xff\xff\xff\xff\xff{}"}) {
    EXPECT_FALSE(SafetensorsNumbers(wrong).ok());
  }
  std::string cut(ShippedOrientationFile());
  cut.pop_back();
  EXPECT_FALSE(SafetensorsNumbers(cut).ok());
}

}  // namespace
}  // namespace hilum
