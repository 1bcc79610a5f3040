// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_OVERLAP_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_OVERLAP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/base/rng.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {

// Overlap of two masks of one size: dice = 2 |A and B| / (|A| + |B|), iou = |A
// and B| / |A or B|. Two empty masks agree: 1.
struct Overlap {
  double dice = 0;
  double iou = 0;
};
Overlap OverlapOf(const BinaryMask& a, const BinaryMask& b);

// Sums v1::Overlap over cases that are added one by one.
class OverlapSums {
 public:
  explicit OverlapSums(int classes)
      : groups_(static_cast<size_t>(classes) + 1) {}

  // `label`: 0 .. classes - 1. `implausible`: JudgeLungMask rejected the mask.
  void Add(int label, const std::string& patient, const Overlap& overlap,
           bool implausible);
  // Returns [classes + 1] sums, the last over all cases. The order of one
  // patient's cases may change their last bits; the order of patients does not.
  std::vector<v1::Overlap> Sums() const;

 private:
  struct Patient {
    double dice = 0, iou = 0;  // summed over cases
    uint64_t cases = 0;
  };
  struct Group {
    std::map<std::string, Patient> patients;
    uint64_t implausible = 0;
  };

  std::vector<Group> groups_;
};

struct MeanInterval {
  double mean = 0, low = 0, high = 0;
};

// Returns the mean of `values` and its 95 % percentile bootstrap interval:
// patients are drawn with all their cases, kBootstraps times. `patients`
// [values]. All zero without values. Source: Field, Welsh 2007 (cluster
// bootstrap).
MeanInterval PatientBootstrap(absl::Span<const double> values,
                              absl::Span<const std::string> patients, Rng& rng);

inline constexpr int kBootstraps = 2000;

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_OVERLAP_H_
