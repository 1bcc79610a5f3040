// SPDX-License-Identifier: Apache-2.0
// Splits the full starting weights into a study's first blobs, file to file, as
// each site does. SplitInitial and RepeatForTracks (blobs.h) do the same in
// memory.
#ifndef HILUM_COMMON_MODEL_SPLIT_FILE_H_
#define HILUM_COMMON_MODEL_SPLIT_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/hashed_file.h"
#include "common/model/architecture.h"

namespace hilum {

struct SplitFiles {
  WrittenFile frozen;  // no bytes and no digest: nothing is frozen
  WrittenFile global;  // the travelling tensors, once for each track
};

// Splits the file `initial_path`: every tensor in registry order, float32
// little-endian. Writes each file through a temporary one, not synced. Where
// nothing is frozen, writes no `frozen_path`. A failure leaves neither file.
// Memory: a block. INVALID_ARGUMENT: a file of another length; a value that is
// not finite, with its tensor and element; num_tracks below 1. NOT_FOUND and
// other errors of files name the path.
absl::StatusOr<SplitFiles> SplitWeightsFile(const ParameterLayout& layout,
                                            const std::string& initial_path,
                                            int num_tracks,
                                            const std::string& frozen_path,
                                            const std::string& global_path);

// Checks that every float32 of a file is finite. INVALID_ARGUMENT names the
// first element that is not; or: not a whole number of float32.
absl::Status CheckFinite(const std::string& path);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_SPLIT_FILE_H_
