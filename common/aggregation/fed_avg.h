// SPDX-License-Identifier: Apache-2.0
// Federated averaging over files (docs/architecture.md, Aggregation).
#ifndef HILUM_COMMON_AGGREGATION_FED_AVG_H_
#define HILUM_COMMON_AGGREGATION_FED_AVG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file.h"

namespace hilum {

// One site's accepted delta.
struct UpdateInput {
  std::string site;
  std::string path;                    // delta blob: tracks in order
  std::vector<uint64_t> num_examples;  // [num_tracks]
};

struct AggregateOptions {
  int64_t track_size = 0;  // elements of one track
  int num_tracks = 0;
  std::vector<UpdateInput> updates;  // any order: the result's bits are equal
  std::string global_path;
  // Written through "output_path.tmp.PID"; may equal global_path.
  std::string output_path;
  Durability durability = Durability::kSync;
};

struct AggregateResult {
  std::string sha256;  // of the new global blob, 32 raw bytes
  uint64_t num_bytes = 0;
};

// Writes the new global blob. A track that no site trained stays as it is.
// Two threads sum while the calling one hashes and writes. Memory: about two
// MiB, whatever the sizes and the number of sites; each update is an open
// file meanwhile. A failure leaves no output.
// INVALID_ARGUMENT: sizes, lengths of files, a site twice, num_examples of a
// track over kMaxTotalExamples in sum, a delta that is not finite or over
// kMaxAbsDelta (names site, track, element). NOT_FOUND, RESOURCE_EXHAUSTED
// (disk full) and other errors of files name the path.
absl::StatusOr<AggregateResult> AggregateUpdates(
    const AggregateOptions& options);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_FED_AVG_H_
