// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_
#define HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/aggregation/ring.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// A site's part in one track of a round.
struct TrackShare {
  uint64_t num_examples = 0;    // n_s
  double loss_sum = 0;          // over them
  uint64_t total_examples = 0;  // N, the cohort's; n_s <= N
};

struct UpdateOptions {
  VectorLayout layout;
  double clipping_norm = 0;        // L2, of each track; 0: none
  std::vector<TrackShare> shares;  // [num_tracks]
  // Of the noise that rounds; track t draws from (seed, "STREAM/t").
  uint64_t seed = 0;
  std::string stream;
  // Is given each element of the vector once, in blocks from front to back,
  // and not one of an update that is refused.
  VectorMask mask;
};

// Turns the trainer's file at `path`, a float32 delta of each track, into the
// vector that leaves (common/aggregation/ring.h), in place, and hashes it: in
// one pass, in two where it clips or masks, with a block in memory.
// INVALID_ARGUMENT: a file of another length, a delta that is NaN, infinite or
// over kMaxDelta (where it clips: over kMaxClippedDelta), shares that do not
// fit; names the track. The file is then of no use any more.
absl::StatusOr<v1::BlobRef> EncodeUpdateFile(const std::string& path,
                                             const UpdateOptions& options);

// Larger is no update that clipping could mend, it is training gone astray.
inline constexpr float kMaxClippedDelta = 16384;

// The encoding of nothing in its place, zeros: this site gives nothing to the
// round. Masked all the same.
absl::StatusOr<v1::BlobRef> WriteZeroUpdate(const std::string& path,
                                            const VectorLayout& layout,
                                            const VectorMask& mask);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_
