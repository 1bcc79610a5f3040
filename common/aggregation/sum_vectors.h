// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_AGGREGATION_SUM_VECTORS_H_
#define HILUM_COMMON_AGGREGATION_SUM_VECTORS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/aggregation/ring.h"

namespace hilum {

// Returns the sum of whole vectors mod 2^32, without the masks that `unmask`
// takes off. Each file has `size` little-endian words, few enough for memory
// (statistics_vector.h); AggregateUpdates sums updates. INVALID_ARGUMENT: a
// file of another length. NOT_FOUND and other errors of files name the path.
absl::StatusOr<std::vector<uint32_t>> SumVectors(
    const std::vector<std::string>& paths, int64_t size,
    const VectorMask& unmask);

struct VectorSum {
  std::vector<uint32_t> words;  // mod 2^32, without masks
  std::string file;             // before unmasking; see sum_file.h
};

// Returns also the sum over the integers of the vectors as they came.
// INVALID_ARGUMENT also: over kMaxSites vectors.
absl::StatusOr<VectorSum> SumVectorsAndCarries(
    const std::vector<std::string>& paths, int64_t size,
    const VectorMask& unmask);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_SUM_VECTORS_H_
