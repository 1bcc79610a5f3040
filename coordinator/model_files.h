// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_MODEL_FILES_H_
#define HILUM_COORDINATOR_MODEL_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "coordinator/storage/blob_store.h"
#include "coordinator/storage/storage.h"
#include "coordinator/study_result.h"

namespace hilum {

// Writes a completed study's weights below `directory`, created if absent, for
// each trained track (coordinator/trained_tracks.h): the evaluated weights as
// model/ARM-TRACK.safetensors and .pth and, where validation chose another
// round than the last, the last weights as model/last/ARM-TRACK.*. `result` is
// ResultOf(stored); fills its model_sha256 and model_files. Equal studies give
// equal bytes. Memory: two models of one track. DATA_LOSS: a blob is too short;
// other errors are those of the files.
absl::Status WriteModels(const StoredStudy& stored, const BlobStore& blobs,
                         const std::string& directory, StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_MODEL_FILES_H_
