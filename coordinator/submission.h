// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SUBMISSION_H_
#define HILUM_COORDINATOR_SUBMISSION_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/storage/blob_store.h"
#include "coordinator/storage/storage.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Makes a study ready to be stored and offered: defaults, checks, starting
// weights (from a safetensors file, or drawn from the study's seed where
// `weights_path` is empty), their blobs and the study's hash.
// INVALID_ARGUMENT names the field or the tensor.
absl::StatusOr<StoredStudy> PrepareSubmission(v1::Study study,
                                              const std::string& weights_path,
                                              const BlobStore& blobs);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SUBMISSION_H_
