// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/ring.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "common/base/rng.h"

namespace hilum {
namespace {

constexpr double kLossScale = 0x1p24;
constexpr double kShareScale = 0x1p30;

// z + 1.5 * 2^84 has in its low bits the integer nearest to z / 2^32 (ties to
// even), as a two's complement, if |z| < 2^83. This rounding to integers
// vectorises on every instruction set and gives the same result on all.
constexpr double kMagic = 0x1.8p84;

// The compiler makes this loop anew for each instruction set. The high part of
// z is the element, the low 32 bits are u - 1/2.
[[gnu::always_inline]] inline void EncodeLoop(const float* __restrict delta,
                                              size_t size, double scale,
                                              RoundingStream rounding,
                                              uint32_t first,
                                              uint32_t* __restrict words) {
  for (size_t i = 0; i < size; ++i) {
    int32_t noise =
        static_cast<int32_t>(rounding.At(first + static_cast<uint32_t>(i)));
    double z =
        static_cast<double>(delta[i]) * scale + static_cast<double>(noise);
    words[i] = static_cast<uint32_t>(std::bit_cast<uint64_t>(z + kMagic));
  }
}

[[gnu::always_inline]] inline void MeanLoop(const uint32_t* __restrict sums,
                                            size_t size, double step,
                                            float* __restrict global) {
  for (size_t i = 0; i < size; ++i) {
    double change = static_cast<double>(static_cast<int32_t>(sums[i])) * step;
    global[i] = static_cast<float>(static_cast<double>(global[i]) + change);
  }
}

[[gnu::always_inline]] inline void CarryLoop(const uint32_t* __restrict words,
                                             size_t size,
                                             uint32_t* __restrict sums,
                                             uint32_t* __restrict carries) {
  for (size_t i = 0; i < size; ++i) {
    const uint32_t sum = sums[i] + words[i];
    carries[i] += sum < words[i] ? 1u : 0u;
    sums[i] = sum;
  }
}

using Carry = decltype(&CarryLoop);
using Encode = decltype(&EncodeLoop);
using Mean = decltype(&MeanLoop);

void EncodePlain(const float* delta, size_t size, double scale,
                 RoundingStream rounding, uint32_t first, uint32_t* words) {
  EncodeLoop(delta, size, scale, rounding, first, words);
}

void MeanPlain(const uint32_t* sums, size_t size, double step, float* global) {
  MeanLoop(sums, size, step, global);
}

void CarryPlain(const uint32_t* words, size_t size, uint32_t* sums,
                uint32_t* carries) {
  CarryLoop(words, size, sums, carries);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void EncodeAvx2(const float* delta, size_t size,
                                        double scale, RoundingStream rounding,
                                        uint32_t first, uint32_t* words) {
  EncodeLoop(delta, size, scale, rounding, first, words);
}

[[gnu::target("avx2")]] void MeanAvx2(const uint32_t* sums, size_t size,
                                      double step, float* global) {
  MeanLoop(sums, size, step, global);
}

[[gnu::target("avx2")]] void CarryAvx2(const uint32_t* words, size_t size,
                                       uint32_t* sums, uint32_t* carries) {
  CarryLoop(words, size, sums, carries);
}
#endif

bool HasAvx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

#if !defined(__x86_64__)
constexpr Carry CarryAvx2 = CarryPlain;
constexpr Encode EncodeAvx2 = EncodePlain;
constexpr Mean MeanAvx2 = MeanPlain;
#endif

}  // namespace

int FractionBits(double clipping_norm) {
  const double largest = clipping_norm > 0 ? clipping_norm : kMaxDelta;
  constexpr double kRoom = 0x1p31 - kMaxSites - 1;
  int bits = std::ilogb(kRoom / largest) + 1;
  while (std::ldexp(largest, bits) >= kRoom) --bits;
  return bits;
}

RoundingStream::RoundingStream(uint64_t seed, absl::string_view name) {
  const uint64_t key = Rng(seed, name).Next();
  before_ = static_cast<uint32_t>(key);
  within_ = static_cast<uint32_t>(key >> 32);
}

void EncodeDelta(absl::Span<const float> delta, double scale,
                 const RoundingStream& rounding, uint64_t first,
                 absl::Span<uint32_t> words) {
  static const Encode encode = HasAvx2() ? EncodeAvx2 : EncodePlain;
  encode(delta.data(), delta.size(), std::ldexp(scale, 32), rounding,
         static_cast<uint32_t>(first), words.data());
}

void AddWords(absl::Span<const uint32_t> words, absl::Span<uint32_t> sums) {
  const uint32_t* __restrict from = words.data();
  uint32_t* __restrict to = sums.data();
  for (size_t i = 0; i < sums.size(); ++i) to[i] += from[i];
}

void AddWordsAndCarries(absl::Span<const uint32_t> words,
                        absl::Span<uint32_t> sums,
                        absl::Span<uint32_t> carries) {
  static const Carry add = HasAvx2() ? CarryAvx2 : CarryPlain;
  add(words.data(), words.size(), sums.data(), carries.data());
}

void ApplyMean(absl::Span<const uint32_t> sums, double step,
               absl::Span<float> global) {
  static const Mean mean = HasAvx2() ? MeanAvx2 : MeanPlain;
  mean(sums.data(), sums.size(), step, global.data());
}

uint32_t EncodeLoss(double loss_sum, uint64_t num_examples,
                    uint64_t total_examples) {
  if (num_examples == 0) return 0;
  const double most = kMaxLoss * static_cast<double>(num_examples);
  const double share =
      std::clamp(loss_sum, 0.0, most) / static_cast<double>(total_examples);
  return static_cast<uint32_t>(std::llrint(share * kLossScale));
}

double DecodeLoss(uint32_t sum, uint64_t num_examples,
                  uint64_t total_examples) {
  return static_cast<double>(static_cast<int32_t>(sum)) / kLossScale *
         static_cast<double>(total_examples) /
         static_cast<double>(num_examples);
}

uint32_t EncodeShares(double sum, uint64_t cases, uint64_t total_cases) {
  if (cases == 0) return 0;
  const double part = std::clamp(sum, 0.0, static_cast<double>(cases)) /
                      static_cast<double>(total_cases);
  return static_cast<uint32_t>(std::llrint(part * kShareScale));
}

double DecodeShares(uint32_t sum, uint64_t total_cases) {
  return static_cast<double>(sum) / kShareScale *
         static_cast<double>(total_cases);
}

}  // namespace hilum
