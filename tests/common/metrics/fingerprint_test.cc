// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/fingerprint.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hilum {
namespace {

// Returns a fingerprint of cases with all their pixels in the bins [first,
// last].
v1::Fingerprint InBins(uint64_t cases, int first, int last) {
  v1::Fingerprint fingerprint = EmptyFingerprint();
  const auto bins = static_cast<uint64_t>(last - first + 1);
  for (int bin = first; bin <= last; ++bin) {
    fingerprint.set_grays(bin, cases * kFingerprintShare / bins);
  }
  fingerprint.set_sides(2, cases);
  return fingerprint;
}

TEST(FingerprintTest, QuantilesOfEvenGraysAreTheGrays) {
  const v1::Fingerprint even = InBins(3, 0, kFingerprintGrays - 1);
  for (double p : {0.0, 0.05, 0.25, 0.5, 0.77, 0.95, 1.0}) {
    EXPECT_NEAR(*GrayQuantile(even, p), p, 1e-12);
  }
}

TEST(FingerprintTest, QuantilesLieInTheBinsThatHavePixels) {
  // A quarter of the pixels is from 8/32 to 9/32, the rest from 16/32 to 19/32.
  v1::Fingerprint fingerprint = InBins(2, 8, 8);
  AddFingerprint(InBins(6, 16, 18), fingerprint);
  EXPECT_NEAR(*GrayQuantile(fingerprint, 0), 8.0 / 32, 1e-12);
  EXPECT_NEAR(*GrayQuantile(fingerprint, 0.05), 8.2 / 32, 1e-9);
  EXPECT_NEAR(*GrayQuantile(fingerprint, 0.25), 9.0 / 32, 1e-9);
  EXPECT_NEAR(*GrayQuantile(fingerprint, 0.5), 17.0 / 32, 1e-5);
  EXPECT_NEAR(*GrayQuantile(fingerprint, 1), 19.0 / 32, 1e-12);
}

TEST(FingerprintTest, LungShareIsOfTheCasesThatHaveAMask) {
  v1::Fingerprint fingerprint = InBins(5, 0, 3);
  EXPECT_FALSE(MeanLungShare(fingerprint).has_value());
  fingerprint.set_masked(2);
  fingerprint.set_lung_share(kFingerprintShare / 2);
  EXPECT_EQ(*MeanLungShare(fingerprint), 0.25);
}

TEST(FingerprintTest, WhatIsTakenFromASumIsTheRest) {
  v1::Fingerprint one = InBins(2, 0, 1), other = InBins(4, 8, 11);
  one.set_masked(1);
  one.set_lung_share(1000);
  other.set_masked(4);
  other.set_lung_share(8192);
  v1::Fingerprint sum = EmptyFingerprint();
  AddFingerprint(one, sum);
  AddFingerprint(other, sum);
  EXPECT_EQ(FingerprintCases(sum), 6u);
  EXPECT_EQ(*MeanLungShare(sum), (1000 + 8192) / 4096.0 / 5);
  SubtractFingerprint(one, sum);
  EXPECT_EQ(sum.SerializeAsString(), other.SerializeAsString());
  // Subtracting a part that was never added does not wrap.
  SubtractFingerprint(one, sum);
  EXPECT_EQ(sum.grays(0), 0u);
  EXPECT_EQ(sum.masked(), 3u);
}

TEST(FingerprintTest, WithoutCasesThereAreNoFigures) {
  for (const v1::Fingerprint& none : {v1::Fingerprint(), EmptyFingerprint()}) {
    EXPECT_EQ(FingerprintCases(none), 0u);
    EXPECT_FALSE(GrayQuantile(none, 0.5).has_value());
    EXPECT_FALSE(MeanLungShare(none).has_value());
    v1::Fingerprint sum = InBins(1, 4, 4);
    AddFingerprint(none, sum);
    EXPECT_EQ(sum.SerializeAsString(), InBins(1, 4, 4).SerializeAsString());
  }
}

TEST(FingerprintTest, JsonHasTheNamesThatReportsHave) {
  v1::Fingerprint fingerprint = InBins(4, 0, 31);
  fingerprint.set_masked(4);
  fingerprint.set_lung_share(4096);
  const auto json = nlohmann::json::parse(FingerprintJson(fingerprint));
  EXPECT_EQ(json["n"], 4);
  EXPECT_EQ(json["masked"], 4);
  EXPECT_EQ(json["mean_lung_share"], 0.25);
  EXPECT_EQ(json["sides"], nlohmann::json({0, 0, 4, 0, 0, 0}));
  EXPECT_EQ(json["gray_quantiles"].size(), 5u);
  EXPECT_EQ(json["gray_quantiles"]["0.25"], 0.25);
  EXPECT_EQ(json["gray_quantiles"]["0.95"].get<double>(),
            *GrayQuantile(fingerprint, 0.95));
  const auto none = nlohmann::json::parse(FingerprintJson(EmptyFingerprint()));
  EXPECT_TRUE(none["gray_quantiles"]["0.5"].is_null());
  EXPECT_TRUE(none["mean_lung_share"].is_null());
}

}  // namespace
}  // namespace hilum
