// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_EXPORT_H_
#define HILUM_COORDINATOR_EXPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/storage/blob_store.h"
#include "coordinator/storage/storage.h"
#include "coordinator/study_result.h"

namespace hilum {

// Returns the reports' content for a stored study, except model_sha256 and
// model_files. INVALID_ARGUMENT: the stored bytes are no study of this version.
absl::StatusOr<StudyResult> ResultOf(const StoredStudy& stored);

// Writes a completed or stopped study's models (coordinator/model_files.h),
// their card (model/README.md), for hilum_small its definition for PyTorch
// (model/hilum_small.py), and reports (coordinator/report/report.h) below
// `directory`, created if absent. Equal studies give equal bytes. Memory: two
// models of one track. Returns the files written, relative to `directory`.
absl::StatusOr<std::vector<std::string>> WriteExport(
    const StoredStudy& stored, const BlobStore& blobs,
    const std::string& directory);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_EXPORT_H_
