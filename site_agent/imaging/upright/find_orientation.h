// SPDX-License-Identifier: Apache-2.0
// Judges from the pixels whether a frontal chest radiograph is upright
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

// An image's orientation: the softmax of the network's scores of the eight
// images that may be the upright one. Turning the image only permutes the
// probabilities, whatever the weights are.
struct OrientationVerdict {
  std::array<double, kNumTurns> probability = {};  // by IndexOf; sum 1
  Turn turn;  // the most likely one, applied to the upright image
  // Natural log-odds. `turned`: the head is not up, against the head is up,
  // both mirrored or not. `mirrored`: mirrored against not, with the head up.
  double turned = 0;
  double mirrored = 0;
};

// `pixels` [kOrientationSide, kOrientationSide], gray, 0 to 1.
OrientationVerdict FindOrientation(const OrientationNetwork& network,
                                   absl::Span<const float> pixels);

// Returns the network's input for a plane of PrepareWholeWithin.
std::vector<float> OrientationInput(const SizedPlane& whole);

// Uses the network that is compiled in; 3 ms.
OrientationVerdict FindOrientation(const SizedPlane& whole);

// Log-odds above which an image is kept from training until a person has
// checked it. Chosen on patients that the network had not seen, so that at most
// one in 200 upright images is stopped. Higher if the file itself gives the
// patient's orientation.
inline constexpr double kSurelyTurned = 2.5, kSurelyTurnedAgainstTag = 4.5;
inline constexpr double kSurelyMirrored = 3;

// Returns the turn that was surely applied to the upright image; nullopt: it
// may be upright, or is no radiograph. Reports a mirror alone only if the head
// surely is up. `told`: the file has a Patient Orientation, by which it is
// displayed; a mirrored look is then no reason, since it may be dextrocardia.
std::optional<Turn> SurelyTurned(const OrientationVerdict& verdict, bool told);

// Returns a reason for a person, with the options of `hilum-ingest release`
// that correct it: "it looks turned by 90 degrees clockwise: `release --turn
// 270` sets it right, `release` takes it as it is".
std::string WhyNotUpright(const OrientationVerdict& verdict, const Turn& turn,
                          bool told);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_UPRIGHT_FIND_ORIENTATION_H_
