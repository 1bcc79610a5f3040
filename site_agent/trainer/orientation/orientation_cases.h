// SPDX-License-Identifier: Apache-2.0
// Upright radiographs to learn from, and what else the network is shown.
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_CASES_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/rng.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {

struct OrientationCase {
  size_t index = 0;  // into the manifest's cases
  Plane plane;       // [kOrientationSide, kOrientationSide], OrientationInput
};

struct OrientationCases {
  std::vector<OrientationCase> cases;  // by index
  std::vector<RejectedRow> rejected;   // rows whose image cannot be used
};

// Reads and prepares every row's image, as hilum-ingest does, in `threads`
// threads; the result does not depend on their number.
OrientationCases LoadOrientationCases(const CaseManifest& manifest,
                                      int threads);

// In which of `folds` parts a patient is, from 0, by SHA-256 of seed and
// patient_id, so that the other patients have no say in it.
int OrientationFold(const std::string& patient_id, int folds, uint64_t seed);

// Appends a version of the plane: turned by 12 degrees at the most, moved by
// 8 %, scaled by 18 %, its grays changed.
void AppendVersion(const Plane& plane, Rng& rng, std::vector<float>& pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_CASES_H_
