// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SUPPORT_FINGERPRINT_H_
#define HILUM_TESTS_SUPPORT_FINGERPRINT_H_

#include <numeric>

#include "common/metrics/fingerprint.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Fills in figures that match an arm's fold_class_counts: each case of a
// patient of its own, all pixels in the gray bin `bin`, images of 513 to 1024
// pixels, and masks whose lungs take a quarter of the image.
inline void FillFingerprint(v1::ArmCensus& arm, int bin = 8) {
  const auto& counts = arm.fold_class_counts();
  *arm.mutable_fold_class_patients() = counts;
  const uint64_t cases =
      std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  v1::Fingerprint& print = *arm.mutable_fingerprint();
  print = EmptyFingerprint();
  print.set_grays(bin, kFingerprintShare * cases);
  print.set_sides(2, cases);
  print.set_masked(cases);
  print.set_lung_share(kFingerprintShare / 4 * cases);
}

// Fills in all arms of a census or of totals, with no mask rejected.
template <typename Census>
void FillFingerprints(int classes, Census& census) {
  for (v1::ArmCensus& arm : *census.mutable_arms()) FillFingerprint(arm);
  census.mutable_rejected_masks()->Resize(classes, 0);
}

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_FINGERPRINT_H_
