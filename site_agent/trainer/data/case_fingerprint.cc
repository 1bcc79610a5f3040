// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_fingerprint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "common/metrics/fingerprint.h"

namespace hilum {
namespace {

// Returns whether a pixel counts in a histogram of grays.
bool IsInLungs(const Plane& lungs, const Plane& plane, size_t i) {
  return lungs.empty() ? plane[i] > 0 : lungs[i] > 32767;
}

// Adds shares of kFingerprintShare. `lungs` empty: black is outside; null: all
// pixels count.
void AddGrays(const Plane& plane, const Plane* lungs, v1::Fingerprint& print) {
  std::array<uint64_t, kFingerprintGrays> counts = {};
  uint64_t all = 0;
  for (size_t i = 0; i < plane.size(); ++i) {
    if (lungs != nullptr && !IsInLungs(*lungs, plane, i)) continue;
    ++counts[plane[i] / (65536 / kFingerprintGrays)];
    ++all;
  }
  if (all == 0) return;
  for (int bin = 0; bin < kFingerprintGrays; ++bin) {
    print.set_grays(bin, print.grays(bin) +
                             (counts[bin] * kFingerprintShare + all / 2) / all);
  }
}

int SideBin(const ImageFacts& facts) {
  const int side = std::max({facts.rows, facts.columns, 0});
  return static_cast<int>(std::lower_bound(std::begin(kFingerprintSideEnds),
                                           std::end(kFingerprintSideEnds),
                                           static_cast<uint32_t>(side)) -
                          std::begin(kFingerprintSideEnds));
}

}  // namespace

void AddToFingerprint(const Plane& plane, const Plane* lungs,
                      const ImageFacts& facts, v1::Fingerprint& print) {
  AddGrays(plane, lungs, print);
  const int side = SideBin(facts);
  print.set_sides(side, print.sides(side) + 1);
  if (facts.lung_share <= 0) return;
  print.set_masked(print.masked() + 1);
  print.set_lung_share(print.lung_share() +
                       static_cast<uint64_t>(
                           std::llround(facts.lung_share * kFingerprintShare)));
}

std::optional<double> GrayDistance(const v1::Fingerprint& print,
                                   absl::Span<const double> quantiles) {
  if (quantiles.size() != std::size(kGrayQuantiles)) return std::nullopt;
  double sum = 0;
  for (size_t i = 0; i < quantiles.size(); ++i) {
    const std::optional<double> own = GrayQuantile(print, kGrayQuantiles[i]);
    if (!own.has_value()) return std::nullopt;
    sum += std::abs(*own - quantiles[i]);
  }
  return sum / static_cast<double>(quantiles.size());
}

}  // namespace hilum
