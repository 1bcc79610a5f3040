// SPDX-License-Identifier: Apache-2.0
// Federated averaging over files of vectors; ring.h describes the arithmetic.
#ifndef HILUM_COMMON_AGGREGATION_FED_AVG_H_
#define HILUM_COMMON_AGGREGATION_FED_AVG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/server_update.h"
#include "common/base/file.h"

namespace hilum {

// One site's accepted vector.
struct UpdateInput {
  std::string site;
  std::string path;  // of layout.size() little-endian 32-bit words
};

// The published sum of the vectors of `num_vectors` sites (sum_file.h).
struct PublishedSum {
  std::string path;
  int num_vectors = 0;
  // Is given each element of the sum once, as it is in the file: the low word
  // and its carry. The pieces begin at a multiple of 2^15 and come in any
  // order, from two threads at a time. Empty: the carries are not read.
  std::function<void(int64_t first, absl::Span<const uint32_t> low,
                     absl::Span<const uint32_t> carries)>
      see;
};

struct AggregateOptions {
  VectorLayout layout;
  int fraction_bits = 0;                 // f
  std::vector<uint64_t> total_examples;  // N of each track
  // M and A of each track (common/config/step_plan.h); empty: N, and 1.
  std::vector<uint64_t> most_trained;
  std::vector<double> factors;
  std::vector<UpdateInput> updates;  // any order: the result's bits are equal
  // In place of `updates`; sum_path is empty then.
  std::optional<PublishedSum> sum;
  // Takes off the masks that remain on the sum: first of its tail, then from
  // the front to the back, always in the calling thread.
  VectorMask unmask;
  std::string global_path;
  // Output; written through "output_path.tmp.PID"; may equal global_path.
  std::string output_path;
  // Output for the sum over the integers of the whole vectors as they came
  // (sum_file.h); empty: not written.
  std::string sum_path;
  // The server's optimiser; nothing: the mean is added.
  std::optional<ServerOptions> server;
  Durability durability = Durability::kSync;  // of all files
};

// Totals of one track, over all updates.
struct TrackTotals {
  uint64_t num_examples = 0;  // N'
  uint64_t validation_examples = 0;
  double validation_loss = 0;  // of the received global; NaN: no cases
};

// Totals of one arm, over all its tracks and all updates.
struct ArmTotals {
  double mean_loss = 0;  // NaN where nobody trained
};

struct AggregateResult {
  std::string sha256;  // of the new global blob, 32 raw bytes
  uint64_t num_bytes = 0;
  std::string state_sha256;  // of the optimiser's state file; empty: none
  uint64_t state_bytes = 0;
  std::string sum_sha256;  // of the sum file, 32 raw bytes; empty: none
  uint64_t sum_bytes = 0;
  std::vector<TrackTotals> tracks;  // [num_tracks]
  std::vector<ArmTotals> arms;      // [num_arms]
  // [updates], in their order: the examples of all tracks of each. Empty where
  // masks are on the updates (unmask).
  std::vector<uint64_t> update_examples;
};

// Returns the mean validation loss over the examples of all tracks; NaN: there
// were none. examples: [tracks]; losses: [tracks], or [arms] in rounds of
// before protocol 7, any value where there are no examples. The tracks of an
// arm stand together; all arms have equally many.
double MeanLossOf(absl::Span<const uint64_t> examples,
                  absl::Span<const double> losses);
// Returns each track's validation loss, [num_tracks]; NaN: no cases.
std::vector<double> ValidationLosses(const AggregateResult& result);

// Writes the new global blob. A track that no site trained keeps its values.
// Two threads sum while the calling one unmasks, hashes and writes. Memory:
// about two MiB, whatever the sizes and the number of sites. Each update is an
// open file meanwhile. A server optimiser that clips reads the updates twice,
// and calls `unmask` from the front to the back twice. A failure leaves no
// output.
// INVALID_ARGUMENT: sizes, lengths of files, a site twice, over kMaxSites, a
// carry that the published sum cannot have.
// ABORTED: the sum has more examples of a track than the cohort (N, or M for
// those trained on), or a
// validation loss out of [0, kMaxLoss]; some update is not from this round, and
// the sum is unusable. NOT_FOUND, RESOURCE_EXHAUSTED (disk full) and other
// errors of files name the path.
absl::StatusOr<AggregateResult> AggregateUpdates(
    const AggregateOptions& options);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_FED_AVG_H_
