// SPDX-License-Identifier: Apache-2.0
#include "coordinator/submission.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/config/starting_weights.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "common/model/preprocessing.h"
#include "common/model/trained_on.h"
#include "common/model/weights_agreement.h"
#include "common/model/weights_file.h"

namespace hilum {
namespace {

absl::Status WriteAll(int fd, absl::string_view bytes,
                      const std::string& path) {
  while (!bytes.empty()) {
    ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return ErrnoStatus(errno, "cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

// The blobs of a submission. Removes its new blobs again unless the submission
// succeeds.
class NewBlobs {
 public:
  explicit NewBlobs(const BlobStore& store) : store_(store) {}
  ~NewBlobs() {
    for (const std::string& sha256 : new_) store_.Remove(sha256);
  }
  NewBlobs(const NewBlobs&) = delete;
  NewBlobs& operator=(const NewBlobs&) = delete;

  absl::StatusOr<v1::BlobRef> Put(absl::string_view bytes);
  // Puts a blob of `copies` copies of the bytes, written copy by copy, since it
  // may be large.
  absl::StatusOr<v1::BlobRef> PutRepeated(absl::string_view bytes,
                                          size_t copies);
  void Keep() { new_.clear(); }

 private:
  void Note(const std::string& sha256) {
    if (!FileExists(store_.Path(sha256))) new_.push_back(sha256);
  }

  const BlobStore& store_;
  std::vector<std::string> new_;
};

absl::StatusOr<v1::BlobRef> NewBlobs::Put(absl::string_view bytes) {
  v1::BlobRef ref;
  ref.set_sha256(Sha256Of(bytes));
  ref.set_size(bytes.size());
  Note(ref.sha256());
  HILUM_RETURN_IF_ERROR(store_.Put(bytes).status());
  return ref;
}

absl::StatusOr<v1::BlobRef> NewBlobs::PutRepeated(absl::string_view bytes,
                                                  size_t copies) {
  std::string path = store_.TemporaryPath("submission");
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot write", path);
  Sha256 sha;
  absl::Status status;
  for (size_t i = 0; i < copies && status.ok(); ++i) {
    sha.Update(bytes);
    status = WriteAll(fd.get(), bytes, path);
  }
  if (status.ok() && fsync(fd.get()) != 0) {
    status = ErrnoStatus(errno, "cannot write", path);
  }
  v1::BlobRef ref;
  ref.set_sha256(sha.Finish());
  ref.set_size(bytes.size() * copies);
  Note(ref.sha256());
  if (status.ok()) status = store_.Adopt(path, ref.sha256());
  if (!status.ok()) {
    unlink(path.c_str());
    return status;
  }
  return ref;
}

// Sets the file's preprocessing in a study that has none; rejects another one.
absl::Status AgreeOnPreprocessing(const WeightsFile& file, v1::Study& study) {
  auto said = PreprocessingOf(file.metadata());
  if (!said.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), ": ", said.status().message()));
  }
  if (!said->has_value()) return absl::OkStatus();
  const v1::Model::Preprocessing wanted = study.model().preprocessing();
  if (wanted == v1::Model::PREPROCESSING_UNSPECIFIED) {
    study.mutable_model()->set_preprocessing(**said);
    return absl::OkStatus();
  }
  if (wanted == **said) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "model.preprocessing: ", PreprocessingName(wanted), ", but ", file.path(),
      " says that its weights take ", PreprocessingName(**said),
      "; leave model.preprocessing out, or give other weights"));
}

// Copies into the study what the file says of itself.
absl::Status NameStartingWeights(const WeightsFile& file, v1::Study& study) {
  v1::StartingWeights& weights = *study.mutable_starting_weights();
  const std::string& path = file.path();
  weights.set_file(
      Printable(path.substr(path.rfind('/') + 1), kMaxDataText / 2));
  std::replace(weights.mutable_file()->begin(), weights.mutable_file()->end(),
               '\\', '?');
  weights.set_file_sha256(Sha256Of(file.bytes()));
  auto data = TrainedOnOf(file.metadata());
  if (!data.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", data.status().message()));
  }
  *weights.mutable_trained_on() = *std::move(data);
  return absl::OkStatus();
}

// Rejects frozen batch normalisation over random weights: its statistics were
// never measured and could never change.
absl::Status CheckFrozenNorm(const v1::Study& study,
                             const ParameterLayout& layout) {
  if (study.model().batch_norm() != v1::Model::BATCH_NORM_FROZEN) {
    return absl::OkStatus();
  }
  for (const TensorSpec& tensor : layout.architecture.tensors) {
    if (tensor.block < layout.first_trained || !IsBatchNorm(tensor.role)) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "model.batch_norm: frozen, but ", layout.architecture.name,
        " would start from random weights, whose statistics are none; give ",
        "--weights, or model.batch_norm: averaged or local"));
  }
  return absl::OkStatus();
}

// `file`: null where there is none.
absl::StatusOr<std::vector<float>> StartingWeights(
    const v1::Study& study, const ParameterLayout& layout,
    const WeightsFile* file, WeightsOptions options) {
  options.seed = study.seed();
  if (file != nullptr) return ReadWeights(*file, layout.architecture, options);
  HILUM_RETURN_IF_ERROR(CheckFrozenNorm(study, layout));
  return InitialWeights(layout.architecture, study.seed());
}

}  // namespace

absl::StatusOr<StoredStudy> PrepareSubmission(v1::Study study,
                                              const std::string& weights_path,
                                              const WeightsOptions& options,
                                              const BlobStore& blobs,
                                              SubmissionNotes* notes) {
  std::optional<WeightsFile> file;
  if (!weights_path.empty()) {
    HILUM_ASSIGN_OR_RETURN(file, WeightsFile::Open(weights_path));
    HILUM_RETURN_IF_ERROR(AgreeOnPreprocessing(*file, study));
  }
  FillStudyDefaults(study);
  study.set_protocol_version(kProtocolVersion);
  study.clear_initial_weights_sha256();
  study.clear_starting_weights();
  if (file) HILUM_RETURN_IF_ERROR(NameStartingWeights(*file, study));
  HILUM_RETURN_IF_ERROR(ValidateStudy(study));
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(study));

  WeightsOptions allowed = options;
  if (file) {
    HILUM_ASSIGN_OR_RETURN(WeightsAgreement agreement,
                           CompareWithStudy(*file, study, options));
    allowed.replace_head = agreement.replace_head;
    if (notes != nullptr) notes->warnings = std::move(agreement.warnings);
  }
  StoredStudy stored;
  NewBlobs put(blobs);
  SplitWeights split;
  {
    HILUM_ASSIGN_OR_RETURN(
        std::vector<float> initial,
        StartingWeights(study, layout, file ? &*file : nullptr, allowed));
    if (notes != nullptr && file) {
      notes->left_off =
          LeftOffPrefix(file->tensors(), layout.architecture, allowed);
    }
    file.reset();
    // Sites fetch all weights, compare their hash and split them themselves.
    HILUM_ASSIGN_OR_RETURN(v1::BlobRef whole, put.Put(BlobBytes(initial)));
    study.set_initial_weights_sha256(whole.sha256());
    HILUM_ASSIGN_OR_RETURN(split, SplitInitial(layout, initial));
  }
  if (!split.frozen.empty()) {
    HILUM_ASSIGN_OR_RETURN(stored.frozen, put.Put(BlobBytes(split.frozen)));
  }
  HILUM_ASSIGN_OR_RETURN(
      stored.global,
      put.PutRepeated(BlobBytes(split.travelling), StudyTracks(study).size()));
  put.Keep();
  stored.study = SerializeStudy(study);
  stored.hash = Sha256Of(stored.study);
  return stored;
}

absl::Status NumberSubmission(
    absl::FunctionRef<bool(const std::string& hash)> was_stopped,
    StoredStudy& stored) {
  HILUM_ASSIGN_OR_RETURN(v1::Study study, ParseStudy(stored.study));
  for (uint32_t number = 0;; ++number) {
    study.set_resubmission(number);
    stored.study = SerializeStudy(study);
    stored.hash = Sha256Of(stored.study);
    if (!was_stopped(stored.hash)) return absl::OkStatus();
  }
}

}  // namespace hilum
