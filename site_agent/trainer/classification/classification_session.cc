// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/classification_session.h"

#include <fcntl.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/step_plan.h"
#include "common/config/track_choice.h"
#include "common/crypto/hkdf.h"
#include "common/crypto/sha256.h"
#include "site_agent/trainer/classification/case_inputs.h"
#include "site_agent/trainer/classification/module_pool.h"
#include "site_agent/trainer/classification/track_training.h"
#include "site_agent/trainer/learning/local_states.h"
#include "site_agent/trainer/models/ranks.h"

namespace hilum {
namespace {

constexpr uint32_t kLastRound = std::numeric_limits<uint32_t>::max() - 1;

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
  return HkdfSha256(SecretBytes::FromBytes(
                        {reinterpret_cast<const uint8_t*>(patient_key.data()),
                         patient_key.size()}),
                    "", "hilum feature store", 32);
}

std::string LocalFolder(const std::string& work_dir, const std::string& hash) {
  if (work_dir.empty()) return "";
  return absl::StrCat(work_dir, "/local/", ToHex(hash));
}

uint64_t ExamplesOf(const v1::TrainRequest& request, size_t track) {
  return request.total_examples().empty()
             ? 0
             : request.total_examples(static_cast<int>(track));
}

class ClassificationSession : public StudySession {
 public:
  ClassificationSession(const v1::PrepareRequest& request, SiteStudy site)
      : site_(std::move(site)),
        study_(site_.study),
        local_(LocalFolder(request.work_dir(), study_.hash)) {}

  absl::Status Open(const v1::PrepareRequest& request,
                    const TorchTrainerOptions& options);

  v1::PrepareResponse Describe() const override { return DescribeSite(site_); }
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

 private:
  absl::Status JoinRanks();
  void ChoosePrecision();
  absl::Status Begin(const std::string& frozen_path);
  // Loads a module for one track, its local parameters as they were before
  // `round`; returns the travelling parameters.
  absl::StatusOr<std::vector<float>> Load(Module& module,
                                          const std::string& global_path,
                                          size_t track, uint32_t round) const;
  absl::Status CheckClassWeights(const v1::TrainRequest& request) const;
  absl::Status CheckExamples(const v1::TrainRequest& request) const;

  SiteStudy site_;
  const PreparedStudy& study_;  // the site's
  const LocalStates local_;
  std::unique_ptr<Ranks> ranks_;
  ModuleOptions compute_;
  std::unique_ptr<ModulePool> modules_;
  std::unique_ptr<CaseInputs> inputs_;
  std::string frozen_path_;
};

absl::Status ClassificationSession::JoinRanks() {
  if (site_.ranks.size <= 1) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(ranks_,
                         Ranks::Join(site_.ranks, compute_.device.cuda));
  compute_.ranks = ranks_.get();
  return absl::OkStatus();
}

void ClassificationSession::ChoosePrecision() {
  if (study_.study.training().precision() != v1::Training::PRECISION_BFLOAT16) {
    return;
  }
  compute_.bfloat16 = HasBfloat16(compute_.device);
  if (!compute_.bfloat16) {
    site_.warnings.push_back(
        "the study wants bfloat16, which this processor has no "
        "instructions for (AVX512-BF16): computing in float32");
  }
}

absl::Status ClassificationSession::Open(const v1::PrepareRequest& request,
                                         const TorchTrainerOptions& options) {
  HILUM_RETURN_IF_ERROR(ChooseDevice(request, site_));
  compute_.device = site_.device;
  HILUM_RETURN_IF_ERROR(JoinRanks());
  ChoosePrecision();
  const std::string& folder = request.work_dir();
  const bool keeps =
      site_.IsFirst() && !folder.empty() && study_.layout.first_trained > 0;
  const bool whole_passes =
      !keeps || study_.study.training().augmentation().views() == 0;
  HILUM_ASSIGN_OR_RETURN(
      modules_, ModulePool::Create(study_.layout, study_.study, compute_,
                                   site_.threads, whole_passes));
  HILUM_RETURN_IF_ERROR(LoadCases(request, options.further, site_));
  inputs_ = std::make_unique<CaseInputs>(
      study_, *modules_,
      CaseInputsOptions{
          .folder = keeps ? absl::StrCat(folder, "/features") : "",
          .encryption_key = request.encrypt_features()
                                ? FeatureKey(request.patient_key())
                                : SecretBytes(),
          .compute = compute_,
          .log = options.log});
  return absl::OkStatus();
}

absl::Status ClassificationSession::Begin(const std::string& frozen_path) {
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

absl::StatusOr<std::vector<float>> ClassificationSession::Load(
    Module& module, const std::string& global_path, size_t track,
    uint32_t round) const {
  HILUM_ASSIGN_OR_RETURN(
      std::vector<float> values,
      ReadTrack(global_path, track, study_.layout.travelling_size));
  HILUM_RETURN_IF_ERROR(module.Load(values));
  const int64_t local_size = study_.layout.local_size;
  if (local_size == 0) return values;
  HILUM_ASSIGN_OR_RETURN(std::vector<float> local,
                         local_.Before(round, track, local_size));
  if (!local.empty()) HILUM_RETURN_IF_ERROR(module.LoadLocal(local));
  return values;
}

absl::Status ClassificationSession::CheckClassWeights(
    const v1::TrainRequest& request) const {
  const size_t cells =
      study_.tracks.size() * static_cast<size_t>(study_.classes());
  const size_t given = static_cast<size_t>(request.class_weights_size());
  if (given == 0 || given == cells) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(given, " class weights, not ", cells));
}

absl::Status ClassificationSession::CheckExamples(
    const v1::TrainRequest& request) const {
  const size_t given = static_cast<size_t>(request.total_examples_size());
  const bool wanted = HasLocalSteps(study_.study);
  if (given == (wanted ? study_.tracks.size() : 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the cohort's cases of ", given, " tracks, not of ",
      wanted ? study_.tracks.size() : 0, ": only local_steps need them"));
}

absl::StatusOr<v1::TrainResponse> ClassificationSession::Train(
    const v1::TrainRequest& request) {
  if (request.round() == 0) {
    return absl::InvalidArgumentError("training rounds count from 1");
  }
  HILUM_RETURN_IF_ERROR(CheckClassWeights(request));
  HILUM_RETURN_IF_ERROR(CheckExamples(request));
  HILUM_RETURN_IF_ERROR(Begin(request.frozen_path()));
  HILUM_ASSIGN_OR_RETURN(
      TrainOutput output,
      TrainOutput::Open(site_.IsFirst() ? request.delta_path() : "/dev/null"));
  const size_t classes = static_cast<size_t>(study_.classes());
  const absl::Span<const double> weights(request.class_weights().data(),
                                         request.class_weights().size());
  HILUM_RETURN_IF_ERROR(modules_->ForEach<TrainedTrack>(
      static_cast<int64_t>(study_.tracks.size()),
      [&](Module& module, int64_t i, TrainedTrack& trained) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        if (IsStopped(request.choices(), track)) {
          LeaveOut(static_cast<size_t>(study_.layout.travelling_size), trained);
          return absl::OkStatus();
        }
        HILUM_ASSIGN_OR_RETURN(
            const std::vector<float> before,
            Load(module, request.global_path(), track, request.round()));
        const TrackRound at{.track = track,
                            .round = request.round(),
                            .total_examples = ExamplesOf(request, track)};
        return TrainTrack(study_, *inputs_, module, at,
                          weights.empty()
                              ? weights
                              : weights.subspan(track * classes, classes),
                          before, trained);
      },
      [&](int64_t i, TrainedTrack& trained) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        if (site_.IsFirst() && !trained.local.empty()) {
          HILUM_RETURN_IF_ERROR(local_.Keep(
              request.round(), track,
              ChosenRound(request.choices(), track, request.round() - 1),
              trained.local));
        }
        return output.Add(track, trained);
      }));
  return output.Take();
}

absl::StatusOr<v1::EvaluateResponse> ClassificationSession::Evaluate(
    const v1::EvaluateRequest& request) {
  HILUM_RETURN_IF_ERROR(Begin(request.frozen_path()));
  std::string header = kPredictionCells;
  for (const std::string& label : study_.study.classes()) {
    absl::StrAppend(&header, ",score_", label);
  }
  EvaluateOutput output(request, header);
  HILUM_RETURN_IF_ERROR(modules_->ForEach<EvaluatedTrack>(
      static_cast<int64_t>(study_.tracks.size()),
      [&](Module& module, int64_t i, EvaluatedTrack& out) -> absl::Status {
        const size_t track = static_cast<size_t>(i);
        if (study_.tracks[track].IsFinal()) return absl::OkStatus();
        // Local parameters are of the same round as those that travelled.
        HILUM_RETURN_IF_ERROR(
            Load(module, request.global_path(), track,
                 1 + ChosenRound(request.choices(), track, kLastRound))
                .status());
        return EvaluateTrack(study_, *inputs_, module, track, output.model(),
                             out);
      },
      [&](int64_t i, EvaluatedTrack& out) {
        if (study_.tracks[static_cast<size_t>(i)].IsFinal()) {
          return absl::OkStatus();
        }
        output.Add(std::move(out));
        return absl::OkStatus();
      }));
  return output.Finish();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StudySession>> CreateClassificationSession(
    const v1::PrepareRequest& request, const TorchTrainerOptions& options,
    SiteStudy site) {
  auto session =
      std::make_unique<ClassificationSession>(request, std::move(site));
  HILUM_RETURN_IF_ERROR(session->Open(request, options));
  return session;
}

}  // namespace hilum
