// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/upright/find_orientation.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

// If the likelier of two turns that differ only by a mirror has this share of
// their probability, it counts as certain.
constexpr double kClearSide = 0.95;

double LogSum(double a, double b) {
  const double larger = std::max(a, b);
  return larger + std::log(std::exp(a - larger) + std::exp(b - larger));
}

// Returns e.g. "--turn 270", "--turn 90 --mirror": turned first, then mirrored.
std::string OptionsThatUndo(const Turn& turn) {
  std::string options;
  const int quarters = (4 - turn.quarters) % 4;
  if (quarters != 0) absl::StrAppend(&options, " --turn ", 90 * quarters);
  if (turn.mirrored) options += " --mirror";
  return options;
}

}  // namespace

OrientationVerdict FindOrientation(const OrientationNetwork& network,
                                   absl::Span<const float> pixels) {
  constexpr int kSide = kOrientationSide;
  std::array<double, kNumTurns> scores;
  for (int i = 0; i < kNumTurns; ++i) {
    scores[i] = network.Score(
        TurnPixels(kSide, kSide, pixels, Undoing(TurnOfIndex(i))));
  }
  OrientationVerdict verdict;
  const auto best = std::max_element(scores.begin(), scores.end());
  verdict.turn = TurnOfIndex(static_cast<int>(best - scores.begin()));
  double sum = 0;
  for (int i = 0; i < kNumTurns; ++i) {
    verdict.probability[i] = std::exp(scores[i] - *best);
    sum += verdict.probability[i];
  }
  for (double& p : verdict.probability) p /= sum;
  const int mirror = IndexOf({0, true});
  double others = -HUGE_VAL;
  for (int i = 0; i < kNumTurns; ++i) {
    if (i != 0 && i != mirror) others = LogSum(scores[i], others);
  }
  verdict.turned = others - LogSum(scores[0], scores[mirror]);
  verdict.mirrored = scores[mirror] - scores[0];
  return verdict;
}

std::vector<float> OrientationInput(const SizedPlane& whole) {
  return ResizeGrays(whole, kOrientationSide).pixels;
}

OrientationVerdict FindOrientation(const SizedPlane& whole) {
  return FindOrientation(OrientationNetwork::Shipped(),
                         OrientationInput(whole));
}

std::optional<Turn> SurelyTurned(const OrientationVerdict& verdict, bool told) {
  const double enough = told ? kSurelyTurnedAgainstTag : kSurelyTurned;
  if (verdict.turned > enough) {
    // Chooses the likeliest turn with a rotation.
    Turn turn;
    double most = -1;
    for (int i = 0; i < kNumTurns; ++i) {
      if (TurnOfIndex(i).quarters == 0 || verdict.probability[i] <= most) {
        continue;
      }
      turn = TurnOfIndex(i);
      most = verdict.probability[i];
    }
    return turn;
  }
  if (!told && verdict.turned < -kSurelyTurned &&
      verdict.mirrored > kSurelyMirrored) {
    return Turn{0, true};
  }
  return std::nullopt;
}

std::string WhyNotUpright(const OrientationVerdict& verdict, const Turn& turn,
                          bool told) {
  const double one = verdict.probability[IndexOf(turn)];
  const double other =
      verdict.probability[IndexOf({turn.quarters, !turn.mirrored})];
  const bool unclear = turn.quarters != 0 && one < kClearSide * (one + other);
  return absl::StrCat(
      "it looks ", NameOf(turn),
      told ? ", though it has been displayed by its "
             "Patient Orientation"
           : "",
      unclear ? " (whether it is mirrored too is not clear)" : "", ": `release",
      OptionsThatUndo(turn), "` sets it right, `release` takes it as it is");
}

}  // namespace hilum
