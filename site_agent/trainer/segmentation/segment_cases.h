// SPDX-License-Identifier: Apache-2.0
// Cases for segmentation, with the masks for training.
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
  Plane plane;       // [size * size], see PrepareWhole
  MaskPlane mask;    // [size * size]
};

struct SegmentCases {
  std::vector<SegmentCase> cases;  // by index; without rows that have no mask
  std::vector<RejectedRow> rejected;  // rows with an unusable image or mask
};

// Reads and prepares the cases in `threads` threads; the result does not depend
// on their number.
SegmentCases LoadSegmentCases(const CaseManifest& manifest, int size,
                              int threads);

// Returns whether a patient is held out: about `share` of all are, by SHA-256
// of seed and patient_id; the other patients have no influence.
bool IsHeldOut(const std::string& patient_id, double share, uint64_t seed);

// Calls `work` once with each of 0 .. count - 1, from `threads` threads.
void ForEach(size_t count, int threads, absl::FunctionRef<void(size_t)> work);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_CASES_H_
