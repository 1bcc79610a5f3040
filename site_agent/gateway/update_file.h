// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_
#define HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/aggregation/ring.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// A site's part in one track of a round.
struct TrackShare {
  uint64_t num_examples = 0;    // n_s
  double loss_sum = 0;          // over num_examples
  uint64_t total_examples = 0;  // N, the cohort's; n_s + v_s <= N
  // Where the study validates: v_s, and the global model's loss over v_s.
  uint64_t validation_examples = 0;
  double validation_loss_sum = 0;
  // M, the most that the cohort trains on in a round; n_s <= M. 0: N.
  uint64_t most_trained = 0;
  double normalized_steps = 1;  // a_s, at least 1
};

struct UpdateOptions {
  VectorLayout layout;
  double clipping_norm = 0;        // L2, of each track; 0: none
  std::vector<TrackShare> shares;  // [num_tracks]
  // For the noise of stochastic rounding; track t draws from (seed,
  // "STREAM/t").
  uint64_t seed = 0;
  std::string stream;
};

// Turns the trainer's file at `path`, a float32 delta of each track, into the
// vector that is summed (common/aggregation/ring.h), and hashes it: in one
// pass, or in two with clipping, with one block in memory.
// The trainer may still have its file open and write to it, so each value is
// read from it once, and the vector is written to another file, which takes the
// place of `path`.
// INVALID_ARGUMENT: not a plain file, a file of another length, a delta that is
// NaN, infinite or over kMaxDelta (with clipping: over kMaxClippedDelta),
// shares that do not fit; names the track. The file is of no use after an
// error.
absl::StatusOr<v1::BlobRef> EncodeUpdateFile(const std::string& path,
                                             const UpdateOptions& options);

// A larger delta is a diverged training, which clipping could not mend.
inline constexpr float kMaxClippedDelta = 16384;

// Writes the encoding of zeros to `path`: this site gives nothing to the round.
absl::StatusOr<v1::BlobRef> WriteZeroVector(const std::string& path,
                                            int64_t num_elements);

// Writes a vector to a file.
absl::StatusOr<v1::BlobRef> WriteVector(const std::string& path,
                                        absl::Span<const uint32_t> words);

// Writes the vector in the file `from` to the file `to`, masked, and hashes the
// masked vector. `mask` is given each element once, in blocks from front to
// back. `sha256`: the digest that the vector must have; empty: any. ABORTED: it
// has another. INVALID_ARGUMENT: `from` is not a vector. Other errors are of
// files and name the path.
absl::StatusOr<v1::BlobRef> MaskVectorFile(const std::string& from,
                                           const std::string& sha256,
                                           const std::string& to,
                                           const VectorMask& mask);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_
