// SPDX-License-Identifier: Apache-2.0
// The cases that lungs are sought in, and those with masks to learn from.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_CASES_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "site_agent/trainer/data/case_manifest.h"
#include "site_agent/trainer/data/labelled_manifest.h"
#include "site_agent/trainer/segmentation/augment_pair.h"

namespace hilum {

// A case with a mask, prepared.
struct SegmentCase {
  size_t index = 0;  // into the manifest's cases
  Plane plane;       // [size * size], as PrepareWhole
  MaskPlane mask;    // [size * size]
};

struct SegmentCases {
  std::vector<SegmentCase> cases;     // by index; rows without mask are left
  std::vector<RejectedRow> rejected;  // rows with one that cannot be used
};

// Reads and prepares them in `threads` threads; the result does not depend on
// their number.
SegmentCases LoadSegmentCases(const CaseManifest& manifest, int size,
                              int threads);

// Whether a patient is kept from learning: about `share` of all, by SHA-256 of
// seed and patient_id, so that the other patients have no say in it.
bool IsHeldOut(const std::string& patient_id, double share, uint64_t seed);

// Calls `work` with 0 .. count - 1, each once, from so many threads.
void ForEach(size_t count, int threads, absl::FunctionRef<void(size_t)> work);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_CASES_H_
