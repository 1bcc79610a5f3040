// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SUBMISSION_H_
#define HILUM_COORDINATOR_SUBMISSION_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/fit.h"
#include "coordinator/storage/blob_store.h"
#include "coordinator/storage/storage.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// An operator's options for a submission.
struct SubmissionOptions {
  WeightsOptions weights;
  // PEM, one for each of the study's sites (coordinator/site_keys.h). Empty:
  // the study pins no keys.
  std::vector<std::string> site_certificates = {};
};

// Facts about a submission's file of weights, for the operator.
struct SubmissionNotes {
  std::string left_off;               // LeftOffPrefix
  std::vector<std::string> warnings;  // WeightsAgreement's
};

// Makes a study ready to be stored and offered: defaults, checks, starting
// weights (from a file, see ReadWeights, or drawn from the study's seed where
// `weights_path` is empty), their blobs and the study's hash. Ignores the seed
// of `options`: the study's counts. INVALID_ARGUMENT names the field or the
// tensor; also where the file has another preprocessing than the study (a study
// without one takes the file's), where its list of the images that it learned
// from is damaged (TrainedOnOf), where batch normalisation would be frozen over
// weights drawn from the seed, and where the file says that it is of another
// task or of other classes (CompareWithStudy). `notes`, where given, is filled
// in.
absl::StatusOr<StoredStudy> PrepareSubmission(v1::Study study,
                                              const std::string& weights_path,
                                              const WeightsOptions& options,
                                              const BlobStore& blobs,
                                              SubmissionNotes* notes = nullptr);

// Numbers a prepared study (Study.resubmission), from 0, past every stopped
// submission of it, and sets its bytes and hash accordingly. A stopped study
// can thus be submitted again, and its sites' officers decide on it anew.
absl::Status NumberSubmission(
    absl::FunctionRef<bool(const std::string& hash)> was_stopped,
    StoredStudy& stored);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SUBMISSION_H_
