// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_SCORE_ORIENTATION_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_SCORE_ORIENTATION_H_

#include <array>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/imaging/upright/find_orientation.h"

namespace hilum {

// The verdicts on an upright image shown in each of the eight turns.
using ShownTurns = std::array<OrientationVerdict, kNumTurns>;

struct ShownImage {
  ShownTurns turns;
  int label = 0;  // index into the manifest's labels
};

// Judges `plane` [kOrientationSide, kOrientationSide] in each turn.
ShownTurns ShowTurns(const OrientationNetwork& network, const Plane& plane);

// Prints a row for each turn shown: how many images SurelyTurned stops, with
// Wilson's 95 % interval, and for how many of these it names the right turn;
// the same against a Patient Orientation. Below, prints the log-odds that would
// stop the most misleading upright images. Then prints a row for each label:
// how many of its images are stopped upright, in the six rotated turns, and
// only mirrored.
void PrintShownImages(absl::Span<const ShownImage> images,
                      absl::Span<const std::string> labels, std::ostream& out);

// Scores a manifest of upright images with the weights of a file (empty: the
// shipped ones). A row that cannot be read is reported and skipped.
// INVALID_ARGUMENT: no row is left, or other weights.
absl::Status ScoreOrientation(const std::string& data,
                              const std::string& weights, int threads,
                              std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_SCORE_ORIENTATION_H_
