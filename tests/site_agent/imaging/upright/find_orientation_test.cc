// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/upright/find_orientation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
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

TEST(FindOrientationTest, ATurnedImageHasTheSameVerdictTurned) {
  const std::vector<float> pixels = RandomPixels(3);
  auto network = OrientationNetwork::Create(RandomWeights(3));
  ASSERT_TRUE(network.ok());
  const OrientationVerdict upright = FindOrientation(*network, pixels);
  double sum = 0;
  for (double p : upright.probability) sum += p;
  EXPECT_NEAR(sum, 1, 1e-9);
  for (int shown = 0; shown < kNumTurns; ++shown) {
    const OrientationVerdict verdict = FindOrientation(
        *network, TurnPixels<float>(kSide, kSide, pixels, TurnOfIndex(shown)));
    for (int i = 0; i < kNumTurns; ++i) {
      const Turn both = Then(TurnOfIndex(i), TurnOfIndex(shown));
      EXPECT_NEAR(verdict.probability[IndexOf(both)], upright.probability[i],
                  1e-12)
          << i << " shown " << shown;
    }
    EXPECT_EQ(verdict.turn, Then(upright.turn, TurnOfIndex(shown)));
  }
}

TEST(FindOrientationTest, LogOddsAreOfTheProbabilities) {
  auto network = OrientationNetwork::Create(RandomWeights(4));
  ASSERT_TRUE(network.ok());
  const OrientationVerdict verdict = FindOrientation(*network, RandomPixels(4));
  const auto& p = verdict.probability;
  EXPECT_NEAR(verdict.mirrored, std::log(p[4] / p[0]), 1e-6);
  EXPECT_NEAR(verdict.turned, std::log((1 - p[0] - p[4]) / (p[0] + p[4])),
              1e-6);
}

OrientationVerdict Verdict(double turned, double mirrored) {
  OrientationVerdict verdict{.turned = turned, .mirrored = mirrored};
  verdict.probability.fill(0.01);
  verdict.probability[IndexOf({3, false})] = 0.93;
  return verdict;
}

TEST(SurelyTurnedTest, ATagAsksForMoreAndSettlesTheSide) {
  const Turn turned{3, false}, mirrored{0, true};
  EXPECT_EQ(SurelyTurned(Verdict(-3, -3), false), std::nullopt);
  EXPECT_EQ(SurelyTurned(Verdict(kSurelyTurned + 0.1, 0), false), turned);
  EXPECT_EQ(SurelyTurned(Verdict(kSurelyTurned - 0.1, 0), false), std::nullopt);
  EXPECT_EQ(SurelyTurned(Verdict(kSurelyTurned + 0.1, 0), true), std::nullopt);
  EXPECT_EQ(SurelyTurned(Verdict(kSurelyTurnedAgainstTag + 0.1, 0), true),
            turned);
  EXPECT_EQ(SurelyTurned(Verdict(-3, kSurelyMirrored + 0.1), false), mirrored);
  EXPECT_EQ(SurelyTurned(Verdict(-3, kSurelyMirrored - 0.1), false),
            std::nullopt);
  EXPECT_EQ(SurelyTurned(Verdict(-3, 50), true), std::nullopt);
}

TEST(SurelyTurnedTest, TheReasonNamesWhatSetsItRight) {
  OrientationVerdict verdict = Verdict(9, 0);
  EXPECT_EQ(WhyNotUpright(verdict, {3, false}, false),
            "it looks turned by 270 degrees clockwise: `release --turn 90` "
            "sets it right, `release` takes it as it is");
  EXPECT_TRUE(absl::StrContains(WhyNotUpright(verdict, {3, false}, true),
                                "Patient Orientation"));
  EXPECT_TRUE(absl::StrContains(WhyNotUpright(verdict, {0, true}, false),
                                "`release --mirror`"));
  verdict.probability[IndexOf({3, true})] = 0.9;
  EXPECT_TRUE(absl::StrContains(WhyNotUpright(verdict, {3, true}, false),
                                "`release --turn 90 --mirror`"));
  EXPECT_TRUE(
      absl::StrContains(WhyNotUpright(verdict, {3, true}, false), "not clear"));
}

// `release` turns first, then mirrors.
TEST(SurelyTurnedTest, WhatTheReasonNamesUndoesTheTurn) {
  for (int i = 1; i < kNumTurns; ++i) {
    const Turn turn = TurnOfIndex(i);
    const std::string why = WhyNotUpright(Verdict(9, 0), turn, false);
    Turn given{0, absl::StrContains(why, "--mirror")};
    for (int quarters = 1; quarters < 4; ++quarters) {
      const std::string option = "--turn " + std::to_string(90 * quarters);
      if (!absl::StrContains(why, option)) continue;
      given = Then({quarters, false}, given);
    }
    EXPECT_EQ(Then(turn, given), Turn{}) << why;
  }
}

// Other checks refuse pictures that are no radiographs.
bool IsStopped(const std::function<double(int, int)>& gray) {
  GrayImage image{128, 120, {}};
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.columns; ++column) {
      image.pixels.push_back(static_cast<float>(gray(row, column)));
    }
  }
  auto plane = PrepareWholeWithin(image, 1024);
  EXPECT_TRUE(plane.ok()) << plane.status();
  return SurelyTurned(FindOrientation(*plane), false).has_value();
}

TEST(FindOrientationTest, NothingHasNoWayUp) {
  int stopped = 0;
  for (int k = 0; k < 40; ++k) {
    Rng rng(k, "nothing");
    const double top = 100 * rng.Uniform(), left = 100 * rng.Uniform();
    const double size = 10 + 40 * rng.Uniform(), angle = 6.3 * rng.Uniform();
    stopped += IsStopped([&](int, int) { return rng.Uniform(); });
    stopped += IsStopped([&](int r, int c) {
      return 0.5 +
             0.3 * ((r - 64) * std::sin(angle) + c * std::cos(angle)) / 64;
    });
    stopped += IsStopped([&](int r, int c) {
      return r > top && r < top + size && c > left && c < left + 30 ? 0.9 : 0.1;
    });
    stopped += IsStopped([&](int r, int c) {
      return std::hypot(r - top, c - left) < size ? 0.9 : 0.1;
    });
    stopped += IsStopped([&](int r, int c) {
      return ((r * 120 + c) * (2 * k + 1) % 4096) / 4096.0;
    });
    stopped += IsStopped([&](int r, int) { return r / (1 + k / 4) % 2; });
    stopped += IsStopped([&](int r, int c) {
      return 0.5 + 0.4 * std::sin(c / (10.0 + k)) * std::cos(r / 12.5);
    });
  }
  EXPECT_LE(stopped, 28);  // of 280
  EXPECT_FALSE(IsStopped([](int, int) { return 0.5; }));
}

}  // namespace
}  // namespace hilum
