// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_
#define HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Makes the trainer's delta file fit to leave: checks that it has
// `num_tracks` times `track_size` float32, all finite and within what can be
// summed, clips each track to L2 norm `clipping_norm` (0: not at all), and
// hashes it, in one pass (two where it clips) with a block in memory.
// INVALID_ARGUMENT names the track.
absl::StatusOr<v1::BlobRef> FinishUpdateFile(const std::string& path,
                                             int64_t track_size, int num_tracks,
                                             double clipping_norm);

// A delta of zeros in its place: this site gives nothing to the round.
absl::StatusOr<v1::BlobRef> WriteZeroUpdate(const std::string& path,
                                            uint64_t num_bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_UPDATE_FILE_H_
