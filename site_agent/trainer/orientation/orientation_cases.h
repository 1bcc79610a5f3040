// SPDX-License-Identifier: Apache-2.0
// Upright radiographs for training, and versions of them.
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
  Plane plane;  // [kOrientationSide, kOrientationSide], from OrientationInput
};

struct OrientationCases {
  std::vector<OrientationCase> cases;  // by index
  std::vector<RejectedRow> rejected;   // rows whose image cannot be used
};

// Reads and prepares every row's image, as hilum-ingest does, in `threads`
// threads; the result does not depend on their number.
OrientationCases LoadOrientationCases(const CaseManifest& manifest,
                                      int threads);

// Returns which of `folds` parts a patient is in, from 0, by SHA-256 of seed
// and patient_id; the other patients have no influence.
int OrientationFold(const std::string& patient_id, int folds, uint64_t seed);

// Appends a version of the plane, turned by at most 12 degrees, moved by 8 %,
// scaled by 18 %, and with changed grays.
void AppendVersion(const Plane& plane, Rng& rng, std::vector<float>& pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_CASES_H_
