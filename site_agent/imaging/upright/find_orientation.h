// SPDX-License-Identifier: Apache-2.0
// Whether a frontal chest radiograph looks upright, from its pixels alone
// (docs/orientation.md).
#ifndef HILUM_SITE_AGENT_IMAGING_UPRIGHT_FIND_ORIENTATION_H_
#define HILUM_SITE_AGENT_IMAGING_UPRIGHT_FIND_ORIENTATION_H_

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/imaging/upright/orientation_network.h"
#include "site_agent/imaging/upright/turn.h"

namespace hilum {

// How an image looks: softmax of the network's scores of the eight images that
// it may have been upright. So the verdict on a turned image is the upright
// one's with the turns exchanged, whatever the weights are.
struct OrientationVerdict {
  std::array<double, kNumTurns> probability = {};  // by IndexOf; sum 1
  Turn turn;  // the most likely: what was done to the upright image
  // Natural logarithms of odds: that the head is not up, mirrored or not
  // against that it is; and, as far as it is up, mirrored against not.
  double turned = 0;
  double mirrored = 0;
};

// `pixels` [kOrientationSide, kOrientationSide], gray, 0 to 1.
OrientationVerdict FindOrientation(const OrientationNetwork& network,
                                   absl::Span<const float> pixels);

// What the network is fed of a plane of PrepareWholeWithin.
std::vector<float> OrientationInput(const SizedPlane& whole);

// By the network that is compiled in; 3 ms.
OrientationVerdict FindOrientation(const SizedPlane& whole);

// Log-odds from which on an image is kept from training until a person has
// looked: chosen on patients that the network had not seen, so that of upright
// images one in 200 is stopped at the most. Where the file itself says how the
// patient lies, more is asked.
inline constexpr double kSurelyTurned = 2.5, kSurelyTurnedAgainstTag = 4.5;
inline constexpr double kSurelyMirrored = 3;

// What was surely done to the upright image; nullopt: it may be upright, or is
// no radiograph. Mirrored alone is said only where the head surely is up.
// `told`: its file has a Patient Orientation, by which it is displayed; that
// it looks mirrored is then no ground, as there is dextrocardia.
std::optional<Turn> SurelyTurned(const OrientationVerdict& verdict, bool told);

// For a person, with the options of `hilum-ingest release` that set it right:
// "it looks turned by 90 degrees clockwise: `release --turn 270` sets it right,
// `release` takes it as it is".
std::string WhyNotUpright(const OrientationVerdict& verdict, const Turn& turn,
                          bool told);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_UPRIGHT_FIND_ORIENTATION_H_
