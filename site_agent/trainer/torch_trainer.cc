// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/torch_trainer.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/hkdf.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "site_agent/trainer/case_inputs.h"
#include "site_agent/trainer/device.h"
#include "site_agent/trainer/local_states.h"
#include "site_agent/trainer/models/ranks.h"
#include "site_agent/trainer/module_pool.h"
#include "site_agent/trainer/track_training.h"

namespace hilum {
namespace {

absl::StatusOr<std::vector<float>> ReadFloats(const std::string& path,
                                              uint64_t offset, size_t count) {
  std::vector<float> values(count);
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  HILUM_RETURN_IF_ERROR(ReadAt(fd.get(), offset,
                               reinterpret_cast<char*>(values.data()),
                               count * sizeof(float), path));
  return values;
}

absl::StatusOr<std::string> FileSha256(const std::string& path) {
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  Sha256 sha;
  HILUM_RETURN_IF_ERROR(
      ReadBlocks(fd.get(), path, [&](absl::string_view block) {
        sha.Update(block);
      }).status());
  return sha.Finish();
}

SecretBytes FeatureKey(const std::string& patient_key) {
  return HkdfSha256(
      SecretBytes::FromBytes(
          {reinterpret_cast<const uint8_t*>(patient_key.data()),
           patient_key.size()}),
      "", "hilum feature store", 32);
}

int ThreadsOf(const v1::PrepareRequest& request) {
  if (request.threads() > 0) return static_cast<int>(request.threads());
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

class TorchTrainer::Session {
 public:
  static absl::StatusOr<std::unique_ptr<Session>> Create(
      const v1::PrepareRequest& request, const TorchTrainerOptions& options);

  v1::PrepareResponse Describe() const;
  absl::StatusOr<v1::TrainResponse> Train(const v1::TrainRequest& request);
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request);

 private:
  Session(LocalStates local, const RankOptions& ranks)
      : local_(std::move(local)), rank_options_(ranks) {}

  absl::Status ChooseDevice(const v1::PrepareRequest& request);
  bool IsFirst() const { return rank_options_.rank == 0; }
  absl::Status LoadCases(const v1::PrepareRequest& request,
                         absl::Span<const CaseSource> further);
  absl::Status Begin(const std::string& frozen_path);
  // Loads a module for one track, its local parameters as they were before
  // `round`; what travelled.
  absl::StatusOr<std::vector<float>> Load(Module& module,
                                          const std::string& global_path,
                                          size_t track, uint32_t round) const;
  absl::Status CheckClassWeights(const v1::TrainRequest& request) const;

  PreparedStudy study_;
  std::unique_ptr<Ranks> ranks_;
  ModuleOptions compute_;
  std::unique_ptr<ModulePool> modules_;
  std::unique_ptr<CaseInputs> inputs_;
  const LocalStates local_;
  const RankOptions rank_options_;
  std::string frozen_path_;
  std::vector<std::string> warnings_;
};

absl::Status TorchTrainer::Session::ChooseDevice(
    const v1::PrepareRequest& request) {
  SetDeterministic(!request.nondeterministic());
  if (request.devices_size() > std::max(1, rank_options_.size)) {
    return absl::InvalidArgumentError(
        "several devices, but one process to use them");
  }
  const std::string name = request.devices().empty()
                               ? "cpu"
                               : request.devices(rank_options_.rank);
  HILUM_ASSIGN_OR_RETURN(compute_.device, FindDevice(name));
  if (rank_options_.size > 1) {
    HILUM_ASSIGN_OR_RETURN(ranks_,
                           Ranks::Join(rank_options_, compute_.device.cuda));
    compute_.ranks = ranks_.get();
  }
  if (study_.study.training().precision() ==
      v1::Training::PRECISION_BFLOAT16) {
    compute_.bfloat16 = HasBfloat16(compute_.device);
    if (!compute_.bfloat16) {
      warnings_.push_back(
          "the study wants bfloat16, which this processor has no "
          "instructions for (AVX512-BF16): computing in float32");
    }
  }
  return absl::OkStatus();
}

absl::Status TorchTrainer::Session::LoadCases(
    const v1::PrepareRequest& request, absl::Span<const CaseSource> further) {
  std::vector<CaseSource> sources = {{.manifest = request.manifest(),
                                      .site_column = request.site_column(),
                                      .site = request.site(),
                                      .patient_key = request.patient_key()}};
  sources.insert(sources.end(), further.begin(), further.end());
  HILUM_ASSIGN_OR_RETURN(
      study_.pool, LoadCasePool(sources, study_.study, ThreadsOf(request)));
  const CaseManifest& used = study_.pool.data.manifest;
  if (IsFirst() && !request.work_dir().empty()) {
    HILUM_RETURN_IF_ERROR(
        WriteRejected(used, absl::StrCat(request.work_dir(), "/rejected.csv")));
  }
  HILUM_RETURN_IF_ERROR(
      CheckBadShare(used, study_.study.data_rules().max_bad_share()));
  for (const RejectedRow& row : used.rejected) {
    warnings_.push_back(absl::StrCat("manifest row ", row.row, " (", row.file,
                                     ") is not used: ", row.reason));
  }
  const std::vector<std::string> absent = study_.AbsentClasses();
  if (!absent.empty()) {
    warnings_.push_back(
        absl::StrCat("no case here is labelled ", absl::StrJoin(absent, ", "),
                     "; other sites teach the model these"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TorchTrainer::Session>>
TorchTrainer::Session::Create(const v1::PrepareRequest& request,
                              const TorchTrainerOptions& options) {
  const std::string hash = Sha256Of(request.study());
  const std::string& folder = request.work_dir();
  std::unique_ptr<Session> session(new Session(
      LocalStates(folder.empty()
                      ? ""
                      : absl::StrCat(folder, "/local/", ToHex(hash))),
      options.ranks));
  PreparedStudy& study = session->study_;
  HILUM_ASSIGN_OR_RETURN(study.study, ParseStudy(request.study()));
  HILUM_ASSIGN_OR_RETURN(study.layout, StudyLayout(study.study));
  study.hash = hash;
  study.tracks = StudyTracks(study.study);
  study.site = request.site();
  HILUM_RETURN_IF_ERROR(session->ChooseDevice(request));
  const bool keeps = session->IsFirst() && !folder.empty() &&
                     study.layout.first_trained > 0;
  const bool whole_passes =
      !keeps || study.study.training().augmentation().views() == 0;
  HILUM_ASSIGN_OR_RETURN(
      session->modules_,
      ModulePool::Create(study.layout, study.study, session->compute_,
                         ThreadsOf(request), whole_passes));
  HILUM_RETURN_IF_ERROR(session->LoadCases(request, options.further));
  session->inputs_ = std::make_unique<CaseInputs>(
      study, *session->modules_,
      CaseInputsOptions{
          .folder = keeps ? absl::StrCat(folder, "/features") : "",
          .encryption_key = request.encrypt_features()
                                ? FeatureKey(request.patient_key())
                                : SecretBytes(),
          .compute = session->compute_,
          .log = options.log});
  return session;
}

v1::PrepareResponse TorchTrainer::Session::Describe() const {
  v1::PrepareResponse response;
  response.set_manifest_sha256(
      ManifestSha256(study_.layout.architecture.tensors));
  for (int arm : study_.study.arms()) {
    *response.add_arms() = study_.Census(static_cast<v1::Arm>(arm));
  }
  const CaseManifest& used = study_.pool.data.manifest;
  response.set_rows(static_cast<uint64_t>(used.rows));
  response.set_rejected_rows(used.rejected.size());
  *response.mutable_warnings() = {warnings_.begin(), warnings_.end()};
  return response;
}

absl::Status TorchTrainer::Session::Begin(const std::string& frozen_path) {
  // A blob is named by its content: the same path is the same blob.
  if (study_.layout.frozen_size == 0 || frozen_path == frozen_path_) {
    return absl::OkStatus();
  }
  frozen_path_.clear();
  HILUM_RETURN_IF_ERROR(modules_->LoadFrozenFile(frozen_path));
  HILUM_ASSIGN_OR_RETURN(std::string sha256, FileSha256(frozen_path));
  HILUM_RETURN_IF_ERROR(inputs_->Update(sha256));
  frozen_path_ = frozen_path;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<float>> TorchTrainer::Session::Load(
    Module& module, const std::string& global_path, size_t track,
    uint32_t round) const {
  const size_t size = static_cast<size_t>(study_.layout.travelling_size);
  HILUM_ASSIGN_OR_RETURN(
      std::vector<float> values,
      ReadFloats(global_path, track * size * sizeof(float), size));
  HILUM_RETURN_IF_ERROR(module.Load(values));
  const int64_t local_size = study_.layout.local_size;
  if (local_size == 0) return values;
  HILUM_ASSIGN_OR_RETURN(std::vector<float> local,
                         local_.Before(round, track, local_size));
  if (!local.empty()) HILUM_RETURN_IF_ERROR(module.LoadLocal(local));
  return values;
}

absl::Status TorchTrainer::Session::CheckClassWeights(
    const v1::TrainRequest& request) const {
  const size_t cells =
      study_.tracks.size() * static_cast<size_t>(study_.classes());
  const size_t given = static_cast<size_t>(request.class_weights_size());
  if (given == 0 || given == cells) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(given, " class weights, not ", cells));
}

absl::StatusOr<v1::TrainResponse> TorchTrainer::Session::Train(
    const v1::TrainRequest& request) {
  if (request.round() == 0) {
    return absl::InvalidArgumentError("training rounds count from 1");
  }
  HILUM_RETURN_IF_ERROR(CheckClassWeights(request));
  HILUM_RETURN_IF_ERROR(Begin(request.frozen_path()));
  const std::string path = IsFirst() ? request.delta_path() : "/dev/null";
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot write", path);
  const size_t classes = static_cast<size_t>(study_.classes());
  const absl::Span<const double> weights(request.class_weights().data(),
                                         request.class_weights().size());
  v1::TrainResponse response;
  HILUM_RETURN_IF_ERROR(modules_->ForEach<TrainedTrack>(
      static_cast<int64_t>(study_.tracks.size()),
      [&](Module& module, int64_t i, TrainedTrack& trained) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        HILUM_ASSIGN_OR_RETURN(
            const std::vector<float> before,
            Load(module, request.global_path(), track, request.round()));
        return TrainTrack(
            study_, *inputs_, module, track, request.round(),
            weights.empty() ? weights
                            : weights.subspan(track * classes, classes),
            before, trained);
      },
      [&](int64_t i, TrainedTrack& trained) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        *response.add_tracks() = std::exchange(trained.update, {});
        if (!trained.warning.empty()) response.add_warnings(trained.warning);
        if (IsFirst() && !trained.local.empty()) {
          HILUM_RETURN_IF_ERROR(
              local_.Keep(request.round(), track, trained.local));
        }
        return WriteAt(fd.get(), track * trained.delta.size() * sizeof(float),
                       BlobBytes(trained.delta), path);
      }));
  return response;
}

absl::StatusOr<v1::EvaluateResponse> TorchTrainer::Session::Evaluate(
    const v1::EvaluateRequest& request) {
  HILUM_RETURN_IF_ERROR(Begin(request.frozen_path()));
  std::string predictions = "case,arm,model,track,label";
  for (const std::string& label : study_.study.classes()) {
    absl::StrAppend(&predictions, ",score_", label);
  }
  predictions += '\n';
  const std::string model =
      request.model().empty() ? "federated" : request.model();
  v1::EvaluateResponse response;
  HILUM_RETURN_IF_ERROR(modules_->ForEach<EvaluatedTrack>(
      static_cast<int64_t>(study_.tracks.size()),
      [&](Module& module, int64_t i, EvaluatedTrack& out) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        if (study_.tracks[track].IsFinal()) return absl::OkStatus();
        HILUM_RETURN_IF_ERROR(Load(module, request.global_path(), track,
                                   std::numeric_limits<uint32_t>::max())
                                  .status());
        return EvaluateTrack(study_, *inputs_, module, track, model, out);
      },
      [&](int64_t i, EvaluatedTrack& out) {
        if (study_.tracks[static_cast<size_t>(i)].IsFinal()) {
          return absl::OkStatus();
        }
        predictions += out.predictions;
        *response.add_tracks() = std::move(out.evaluation);
        return absl::OkStatus();
      }));
  if (request.predictions_path().empty()) return response;
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      request.predictions_path(), predictions, Durability::kSync, 0600));
  return response;
}

TorchTrainer::TorchTrainer(TorchTrainerOptions options)
    : options_(std::move(options)) {}
TorchTrainer::~TorchTrainer() = default;

absl::StatusOr<v1::PrepareResponse> TorchTrainer::Prepare(
    const v1::PrepareRequest& request) {
  session_.reset();
  HILUM_ASSIGN_OR_RETURN(session_, Session::Create(request, options_));
  return session_->Describe();
}

absl::StatusOr<v1::TrainResponse> TorchTrainer::Train(
    const v1::TrainRequest& request) {
  if (session_ != nullptr) return session_->Train(request);
  return absl::FailedPreconditionError("the trainer is not prepared");
}

absl::StatusOr<v1::EvaluateResponse> TorchTrainer::Evaluate(
    const v1::EvaluateRequest& request) {
  if (session_ != nullptr) return session_->Evaluate(request);
  return absl::FailedPreconditionError("the trainer is not prepared");
}

}  // namespace hilum
