// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/upright/orientation_network.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/upright/shipped_orientation.h"

namespace hilum {
namespace {

constexpr int kTaps = 9;

constexpr int ChannelsBefore(int layer) {
  return layer == 0 ? 1 : kOrientationChannels[layer - 1];
}

// `in` [side, side, kIn], `out` [side / 2, side / 2, kOut]: channels last, so
// that the innermost loop reads adjacent memory.
template <int kIn, int kOut>
void Convolve(const float* in, int side, const float* kernel, const float* bias,
              float* out) {
  for (int row = 0; row < side; row += 2) {
    for (int column = 0; column < side; column += 2, out += kOut) {
      float sums[kOut];
      std::copy_n(bias, kOut, sums);
      // The side is even: only the first row and column need padding.
      for (int y = row == 0; y < 3; ++y) {
        for (int x = column == 0; x < 3; ++x) {
          const float* from =
              in +
              (static_cast<size_t>(row + y - 1) * side + column + x - 1) * kIn;
          const float* weight = kernel + (y * 3 + x) * kIn * kOut;
          for (int i = 0; i < kIn; ++i, weight += kOut) {
            for (int o = 0; o < kOut; ++o) sums[o] += from[i] * weight[o];
          }
        }
      }
      for (int o = 0; o < kOut; ++o) out[o] = std::max(sums[o], 0.0f);
    }
  }
}

// Transposes [out, in, 3, 3] to [3, 3, in, out].
std::vector<float> ChannelsLast(const float* weights, int in, int out) {
  std::vector<float> kernel(static_cast<size_t>(kTaps) * in * out);
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      for (int tap = 0; tap < kTaps; ++tap) {
        kernel[(static_cast<size_t>(tap) * in + i) * out + o] = *weights++;
      }
    }
  }
  return kernel;
}

}  // namespace

size_t OrientationWeightCount() {
  size_t count = 0;
  for (int layer = 0; layer < kOrientationLayers; ++layer) {
    const int out = kOrientationChannels[layer];
    count += static_cast<size_t>(kTaps) * ChannelsBefore(layer) * out + out;
  }
  return count + static_cast<size_t>(kOrientationMapSide) *
                     kOrientationMapSide *
                     kOrientationChannels[kOrientationLayers - 1];
}

absl::StatusOr<OrientationNetwork> OrientationNetwork::Create(
    absl::Span<const float> weights) {
  if (weights.size() != OrientationWeightCount()) {
    return absl::InvalidArgumentError(
        absl::StrCat(weights.size(), " weights, not the ",
                     OrientationWeightCount(), " of an orientation network"));
  }
  if (!std::all_of(weights.begin(), weights.end(),
                   [](float w) { return std::isfinite(w); })) {
    return absl::InvalidArgumentError("weights that are not finite");
  }
  OrientationNetwork network;
  const float* next = weights.data();
  for (int layer = 0; layer < kOrientationLayers; ++layer) {
    const int in = ChannelsBefore(layer), out = kOrientationChannels[layer];
    network.kernels_[layer] = ChannelsLast(next, in, out);
    next += static_cast<size_t>(kTaps) * in * out;
    network.biases_[layer].assign(next, next + out);
    next += out;
  }
  const int out = kOrientationChannels[kOrientationLayers - 1];
  const int places = kOrientationMapSide * kOrientationMapSide;
  network.head_.resize(static_cast<size_t>(places) * out);
  for (int o = 0; o < out; ++o) {
    for (int place = 0; place < places; ++place) {
      network.head_[static_cast<size_t>(place) * out + o] = *next++;
    }
  }
  return network;
}

float OrientationNetwork::Score(absl::Span<const float> pixels) const {
  constexpr const int* kC = kOrientationChannels;
  constexpr int kSide = kOrientationSide;
  static_assert(kOrientationLayers == 4);
  std::vector<float> in(static_cast<size_t>(kSide) * kSide);
  for (size_t i = 0; i < in.size(); ++i) in[i] = (pixels[i] - 0.5f) * 4;
  auto map = [](int layer) {
    const size_t side = kSide >> (layer + 1);
    return std::vector<float>(side * side * kOrientationChannels[layer]);
  };
  std::vector<float> a = map(0), b = map(1), c = map(2), d = map(3);
  auto weights = [&](int layer) { return kernels_[layer].data(); };
  auto bias = [&](int layer) { return biases_[layer].data(); };
  Convolve<1, kC[0]>(in.data(), kSide, weights(0), bias(0), a.data());
  Convolve<kC[0], kC[1]>(a.data(), kSide / 2, weights(1), bias(1), b.data());
  Convolve<kC[1], kC[2]>(b.data(), kSide / 4, weights(2), bias(2), c.data());
  Convolve<kC[2], kC[3]>(c.data(), kSide / 8, weights(3), bias(3), d.data());
  float score = 0;
  for (size_t i = 0; i < d.size(); ++i) score += d[i] * head_[i];
  return score;
}

absl::StatusOr<std::vector<float>> SafetensorsNumbers(absl::string_view bytes) {
  uint64_t header = 0;
  if (bytes.size() >= sizeof header) {
    std::memcpy(&header, bytes.data(), sizeof header);
    bytes.remove_prefix(sizeof header);
  }
  if (header == 0 || header > bytes.size() ||
      (bytes.size() - header) % sizeof(float) != 0) {
    return absl::InvalidArgumentError("not a safetensors file of float32");
  }
  bytes.remove_prefix(header);
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

const OrientationNetwork& OrientationNetwork::Shipped() {
  static const OrientationNetwork* const network = [] {
    auto made = SafetensorsNumbers(ShippedOrientationFile());
    HILUM_CHECK(made.ok());
    auto network = Create(*made);
    HILUM_CHECK(network.ok());  // a test reads the file
    return new OrientationNetwork(*std::move(network));
  }();
  return *network;
}

}  // namespace hilum
