// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/rng.h"

namespace hilum {
namespace {

std::vector<float> Random(size_t size, const std::string& stream,
                          double scale) {
  Rng rng(7, stream);
  std::vector<float> values(size);
  for (float& value : values) {
    value = static_cast<float>(scale * rng.Normal());
  }
  return values;
}

std::vector<uint32_t> Encoded(const std::vector<float>& delta, double scale,
                              const RoundingStream& rounding) {
  std::vector<uint32_t> words(delta.size());
  EncodeDelta(delta, scale, rounding, 0, absl::MakeSpan(words));
  return words;
}

TEST(FractionBitsTest, IsTheLargestThatCannotWrap) {
  EXPECT_EQ(FractionBits(0), 26);
  for (double norm :
       {1e-6, 0.3, 0.9999995, 0.99999953, 1.0, 1.5, 16.0, 100.0, 1e6}) {
    const int bits = FractionBits(norm);
    const double room = 0x1p31 - kMaxSites - 1;
    EXPECT_LT(std::ldexp(norm, bits), room) << norm;
    EXPECT_GE(std::ldexp(norm, bits + 1), room) << norm;
  }
}

// Encodes by the formula of ring.h, word by word, in long double.
uint32_t SlowlyEncoded(float delta, double scale, const RoundingStream& stream,
                       uint32_t index) {
  const long double u =
      static_cast<long double>(static_cast<int32_t>(stream.At(index))) *
          0x1p-32L +
      0.5L;
  return static_cast<uint32_t>(static_cast<int64_t>(
      std::floor(static_cast<long double>(delta) * scale + u)));
}

TEST(EncodeDeltaTest, IsTheFloorOfTheScaledValueAndItsNoise) {
  const RoundingStream stream(3, "noise");
  for (double scale : {1.0, 0x1.345678p20, 0x1.fffffp26}) {
    const std::vector<float> delta = Random(100003, "delta", 3);
    const std::vector<uint32_t> words = Encoded(delta, scale, stream);
    for (size_t i = 0; i < delta.size(); ++i) {
      ASSERT_EQ(words[i], SlowlyEncoded(delta[i], scale, stream,
                                        static_cast<uint32_t>(i)))
          << i << " at scale " << scale;
    }
  }
}

TEST(EncodeDeltaTest, PiecesGiveTheBitsOfTheWhole) {
  const RoundingStream stream(3, "noise");
  const std::vector<float> delta = Random(1000, "delta", 1);
  const std::vector<uint32_t> whole = Encoded(delta, 12345.678, stream);
  std::vector<uint32_t> words(delta.size());
  for (size_t at = 0, size = 1; at < delta.size(); at += size, size += 3) {
    size = std::min(size, delta.size() - at);
    EncodeDelta(absl::MakeSpan(delta.data() + at, size), 12345.678, stream, at,
                absl::MakeSpan(words.data() + at, size));
  }
  EXPECT_EQ(words, whole);
}

TEST(EncodeDeltaTest, NothingIsEncodedAsZeros) {
  const RoundingStream stream(3, "noise");
  const std::vector<uint32_t> zeros(100000);
  EXPECT_EQ(Encoded(Random(zeros.size(), "delta", 1), 0, stream), zeros);
  EXPECT_EQ(Encoded(std::vector<float>(zeros.size()), 0x1p26, stream), zeros);
}

// The bound is twelve standard errors: new streams would exceed it once in
// 10^32 runs, and these streams are fixed.
TEST(EncodeDeltaTest, RoundingIsUnbiasedAndIndependentOfItsNeighbours) {
  constexpr size_t kSize = 1 << 20;
  for (float part : {0.0625f, 0.5f, 0.9f, -0.25f}) {
    const std::vector<float> delta(kSize, part);
    const std::vector<uint32_t> a =
        Encoded(delta, 1, RoundingStream(1, "rounding/1/a/0"));
    const std::vector<uint32_t> b =
        Encoded(delta, 1, RoundingStream(1, "rounding/1/b/0"));
    double mean = 0, next = 0, other = 0;
    for (size_t i = 0; i < kSize; ++i) {
      auto error = [&](const std::vector<uint32_t>& words, size_t at) {
        return static_cast<int32_t>(words[at % kSize]) -
               static_cast<double>(part);
      };
      ASSERT_LT(std::abs(error(a, i)), 1);
      mean += error(a, i) / kSize;
      next += error(a, i) * error(a, i + 1) / kSize;
      other += error(a, i) * error(b, i) / kSize;
    }
    const double bound = 12 * 0.5 / std::sqrt(kSize);
    EXPECT_LT(std::abs(mean), bound) << part;
    EXPECT_LT(std::abs(next), bound / 2) << part;
    EXPECT_LT(std::abs(other), bound / 2) << part;
  }
}

struct ErrorOfMean {
  double largest = 0, deviation = 0;
};

// Measures the mean from the ring against the mean in double, for five sites,
// one of which is missing.
ErrorOfMean MeasureError(const std::vector<uint64_t>& examples, uint64_t total,
                         double scale) {
  constexpr size_t kSize = 200000;
  const int bits = FractionBits(0);
  std::vector<double> want(kSize);
  std::vector<uint32_t> sums(kSize);
  uint64_t present = 0;
  for (uint64_t n : examples) present += n;
  for (size_t s = 0; s < examples.size(); ++s) {
    const std::string site = absl::StrCat("site-", s);
    const std::vector<float> delta = Random(kSize, site, scale);
    const double n = static_cast<double>(examples[s]);
    AddWords(Encoded(delta, std::ldexp(n / static_cast<double>(total), bits),
                     RoundingStream(1, site)),
             absl::MakeSpan(sums));
    for (size_t i = 0; i < kSize; ++i) {
      want[i] +=
          n * static_cast<double>(delta[i]) / static_cast<double>(present);
    }
  }
  const double step = std::ldexp(
      static_cast<double>(total) / static_cast<double>(present), -bits);
  ErrorOfMean error;
  for (size_t i = 0; i < kSize; ++i) {
    const double got = static_cast<int32_t>(sums[i]) * step;
    error.largest = std::max(error.largest, std::abs(got - want[i]));
    error.deviation += (got - want[i]) * (got - want[i]) / kSize;
  }
  error.deviation = std::sqrt(error.deviation);
  return error;
}

TEST(RingTest, MeanIsWithinItsBoundsOfTheMeanInDouble) {
  const std::vector<uint64_t> examples = {1300, 17, 400, 800};
  const uint64_t total = 3000, present = 2517;
  const ErrorOfMean error = MeasureError(examples, total, 0.01);
  const double unit = 0x1p-26 * static_cast<double>(total) / present;
  std::printf(
      "4 of 5 sites, f = 26: largest error %.2e (bound %.2e), deviation %.2e "
      "(bound %.2e)\n",
      error.largest, 4 * unit, error.deviation, unit);
  EXPECT_LE(error.largest, 4 * unit);
  // The measured deviation of 200,000 draws is within 2 %.
  EXPECT_LE(error.deviation, 1.02 * unit);
  // It would be less if the weights were applied after rounding, or without
  // noise.
  EXPECT_GE(error.deviation, 0.5 * unit);
}

TEST(RingTest, LargestSumDoesNotWrap) {
  for (double norm : {0.0, 0.9999995, 3.0}) {
    const int bits = FractionBits(norm);
    const float largest = norm == 0 ? kMaxDelta : static_cast<float>(norm);
    for (float value : {largest, -largest}) {
      std::vector<uint32_t> sums(1000);
      for (int s = 0; s < kMaxSites; ++s) {
        AddWords(Encoded(std::vector<float>(sums.size(), value),
                         std::ldexp(1.0 / kMaxSites, bits),
                         RoundingStream(1, absl::StrCat(s))),
                 absl::MakeSpan(sums));
      }
      std::vector<float> mean(sums.size());
      ApplyMean(sums, std::ldexp(1, -bits), absl::MakeSpan(mean));
      for (float got : mean) ASSERT_NEAR(got, value, std::abs(value) * 1e-5);
    }
  }
}

TEST(ApplyMeanTest, ReadsSumsAsSignedAndRoundsOnce) {
  std::vector<float> global = {1, 2, -0.5f, 1, 3};
  ApplyMean({4, ~uint32_t{0}, 0x80000000u, 0x7fffffffu, 0}, 0x1p-30,
            absl::MakeSpan(global));
  const std::vector<float> want = {1 + 0x1p-28f, 2, -2.5f, 3, 3};
  EXPECT_EQ(global, want);
}

TEST(LossTest, SumsToTheMeanAndIsClamped) {
  const uint64_t total = 300;
  uint32_t sum = EncodeLoss(70, 100, total) + EncodeLoss(30, 50, total);
  EXPECT_NEAR(DecodeLoss(sum, 150, total), 100.0 / 150, 2 * 0x1p-24);
  EXPECT_NEAR(DecodeLoss(EncodeLoss(1e30, 100, total), 100, total), 64,
              3 * 0x1p-25);
  EXPECT_EQ(EncodeLoss(-5, 100, total), 0u);
  EXPECT_EQ(EncodeLoss(5, 0, 0), 0u);
  // All sites at the clamp.
  sum = 0;
  for (int s = 0; s < kMaxSites; ++s) {
    sum += EncodeLoss(1e30, kMaxSiteExamples, kMaxSiteExamples * kMaxSites);
  }
  const uint64_t everyone = kMaxSiteExamples * kMaxSites;
  EXPECT_NEAR(DecodeLoss(sum, everyone, everyone), 64, kMaxSites * 0x1p-25);
  EXPECT_LT(everyone, uint64_t{1} << 31);
}

TEST(SharesTest, SumToTheCohortsSumAndAreClamped) {
  const uint64_t total = 300;
  const uint32_t sum =
      EncodeShares(70.25, 100, total) + EncodeShares(12.5, 50, total);
  EXPECT_NEAR(DecodeShares(sum, total), 82.75, 2 * 0x1p-31 * 300);
  EXPECT_EQ(EncodeShares(-5, 100, total), 0u);
  EXPECT_EQ(EncodeShares(1e30, 300, total), uint32_t{1} << 30);
  EXPECT_EQ(EncodeShares(5, 0, 0), 0u);
  // All sites at the clamp.
  const uint64_t everyone = kMaxSiteExamples * kMaxSites;
  uint32_t all = 0;
  for (int s = 0; s < kMaxSites; ++s) {
    all += EncodeShares(1e30, kMaxSiteExamples, everyone);
  }
  EXPECT_NEAR(DecodeShares(all, everyone) / static_cast<double>(everyone), 1,
              kMaxSites * 0x1p-31);
}

TEST(LossTest, PooledOverTracksDoesNotWrapEither) {
  // 22 tracks of all sites at the clamp: N of the arm is over 2^32.
  constexpr uint64_t kTracks = 22;
  const uint64_t total = kTracks * kMaxSiteExamples * kMaxSites;
  ASSERT_GT(total, uint64_t{1} << 32);
  uint64_t sum = 0;
  for (int s = 0; s < kMaxSites; ++s) {
    sum += EncodeLoss(1e30, kTracks * kMaxSiteExamples, total);
  }
  ASSERT_LT(sum, uint64_t{1} << 31);
  EXPECT_NEAR(DecodeLoss(static_cast<uint32_t>(sum), total, total), 64,
              kMaxSites * 0x1p-25);
}

TEST(VectorLayoutTest, TailHasCountsAndValidationOfTracksAndLossesOfArms) {
  VectorLayout layout{.track_size = 7, .num_tracks = 6, .num_arms = 2};
  EXPECT_EQ(layout.tracks_per_arm(), 3);
  EXPECT_EQ(layout.tail(), 42);
  EXPECT_EQ(layout.size(), 42 + 6 + 2);
  layout.validates = true;
  EXPECT_EQ(layout.tail(), 42);
  EXPECT_EQ(layout.size(), 42 + 18 + 2);
  EXPECT_EQ(layout.num_bytes(), 62u * 4);
}

}  // namespace
}  // namespace hilum
