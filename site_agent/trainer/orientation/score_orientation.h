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

// What is found in an upright image when it is shown in each of the eight ways.
using ShownTurns = std::array<OrientationVerdict, kNumTurns>;

struct ShownImage {
  ShownTurns turns;
  int label = 0;  // index into the manifest's
};

// `plane` [kOrientationSide, kOrientationSide].
ShownTurns ShowTurns(const OrientationNetwork& network, const Plane& plane);

// A row for each way of showing: how many images are stopped, by SurelyTurned,
// with Wilson's 95 % interval, and as how many of these the right turn is
// named; the same against a Patient Orientation. Below, by which log-odds the
// most misleading of the upright images would be stopped. Then a row for each
// label: how many of its images are stopped as they are, turned by all but
// nothing, and mirrored.
void PrintShownImages(absl::Span<const ShownImage> images,
                      absl::Span<const std::string> labels, std::ostream& out);

// Of a manifest whose images are upright, by the weights of a file, or those
// that are shipped where it is empty. A row that cannot be read is said and
// left out. INVALID_ARGUMENT: none is left, or other weights.
absl::Status ScoreOrientation(const std::string& data,
                              const std::string& weights, int threads,
                              std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_SCORE_ORIENTATION_H_
