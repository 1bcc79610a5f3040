// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/torch_trainer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/model/blobs.h"
#include "site_agent/trainer/augment.h"
#include "site_agent/trainer/scores.h"

namespace hilum {
namespace {

constexpr size_t kPredictBatch = 64;

absl::StatusOr<std::vector<float>> ReadFloats(const std::string& path,
                                              uint64_t offset, size_t count) {
  std::vector<float> values(count);
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  char* to = reinterpret_cast<char*>(values.data());
  size_t size = count * sizeof(float);
  for (size_t have = 0; have < size;) {
    ssize_t got = pread(fd.get(), to + have, size - have,
                        static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read", path);
    if (got == 0) {
      return absl::DataLossError(
          absl::StrCat(path, ": shorter than the study's weights"));
    }
    have += static_cast<size_t>(got);
  }
  return values;
}

absl::Status WriteFloats(int fd, const std::string& path, uint64_t offset,
                         absl::Span<const float> values) {
  absl::string_view bytes = BlobBytes(values);
  while (!bytes.empty()) {
    ssize_t wrote =
        pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return ErrnoStatus(errno, "cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(wrote));
    offset += static_cast<uint64_t>(wrote);
  }
  return absl::OkStatus();
}

}  // namespace

struct TorchTrainer::Prepared {
  v1::Study study;
  ParameterLayout layout;
  std::vector<Track> tracks;
  std::string site;
  int threads;
  CasePool pool;
  std::unique_ptr<Module> module;

  const std::vector<CaseRow>& cases() const { return pool.data.manifest.cases; }
  const Plane& PlaneOf(v1::Arm arm, size_t index) const {
    return arm == v1::ARM_WHOLE ? pool.data.whole[index]
                                : pool.data.segmented[index];
  }

  // Cases of a track: those it trains on, or those held out of it.
  std::vector<size_t> CasesOf(const Track& track, bool held_out) const {
    std::vector<size_t> found;
    for (size_t i = 0; i < pool.folds.size(); ++i) {
      if (PlaneOf(track.arm, i).empty()) continue;
      const bool wanted =
          held_out ? pool.folds[i] == track.fold : pool.TrainsOn(i, track.fold);
      if (wanted) found.push_back(i);
    }
    return found;
  }

  // The site's smoothed log shares of classes, times the study's strength.
  std::vector<float> LogitOffsets(const std::vector<size_t>& trained) const {
    const double strength = study.training().logit_adjustment();
    if (strength == 0 || trained.empty()) return {};
    const size_t classes = static_cast<size_t>(study.classes_size());
    std::vector<double> shares(classes, 0.1 / static_cast<double>(classes));
    for (size_t i : trained) {
      shares[static_cast<size_t>(cases()[i].label)] +=
          0.9 / static_cast<double>(trained.size());
    }
    std::vector<float> offsets;
    for (double share : shares) {
      offsets.push_back(static_cast<float>(strength * std::log(share)));
    }
    return offsets;
  }

  Rng MakeRng(const char* purpose, const Track& track, uint32_t round) const {
    return Rng(study.seed(), absl::StrCat(purpose, "/", ArmTrackName(track),
                                          "/", round, "/", site));
  }

  v1::ArmCensus Census(v1::Arm arm) const {
    v1::ArmCensus census;
    int classes = study.classes_size();
    std::vector<uint64_t> counts(study.cross_validation().folds() *
                                 static_cast<size_t>(classes));
    for (size_t i = 0; i < pool.folds.size(); ++i) {
      if (PlaneOf(arm, i).empty()) {
        census.set_without_mask(census.without_mask() + 1);
        continue;
      }
      int cell = pool.folds[i] * classes + cases()[i].label;
      ++counts[static_cast<size_t>(cell)];
    }
    census.mutable_fold_class_counts()->Add(counts.begin(), counts.end());
    return census;
  }
};

TorchTrainer::TorchTrainer(std::vector<CaseSource> further)
    : further_(std::move(further)) {}
TorchTrainer::~TorchTrainer() = default;

absl::StatusOr<v1::PrepareResponse> TorchTrainer::Prepare(
    const v1::PrepareRequest& request) {
  prepared_.reset();
  auto prepared = std::make_unique<Prepared>();
  Prepared& p = *prepared;
  HILUM_ASSIGN_OR_RETURN(p.study, ParseStudy(request.study()));
  HILUM_ASSIGN_OR_RETURN(p.layout, StudyLayout(p.study));
  p.tracks = StudyTracks(p.study);
  p.site = request.site();
  p.threads = request.threads() > 0
                  ? static_cast<int>(request.threads())
                  : static_cast<int>(std::thread::hardware_concurrency());
  p.threads = std::max(p.threads, 1);
  HILUM_ASSIGN_OR_RETURN(p.module, Module::Create(p.layout, p.study));

  std::vector<CaseSource> sources = {{.manifest = request.manifest(),
                                      .site_column = request.site_column(),
                                      .site = request.site(),
                                      .patient_key = request.patient_key()}};
  sources.insert(sources.end(), further_.begin(), further_.end());
  HILUM_ASSIGN_OR_RETURN(p.pool, LoadCasePool(sources, p.study, p.threads));
  const CaseManifest& used = p.pool.data.manifest;
  if (!request.work_dir().empty()) {
    HILUM_RETURN_IF_ERROR(
        WriteRejected(used, absl::StrCat(request.work_dir(), "/rejected.csv")));
  }
  HILUM_RETURN_IF_ERROR(
      CheckBadShare(used, p.study.data_rules().max_bad_share()));

  v1::PrepareResponse response;
  response.set_manifest_sha256(ManifestSha256(p.layout.architecture.tensors));
  for (int arm : p.study.arms()) {
    *response.add_arms() = p.Census(static_cast<v1::Arm>(arm));
  }
  response.set_rows(static_cast<uint64_t>(used.rows));
  response.set_rejected_rows(used.rejected.size());
  for (const RejectedRow& row : used.rejected) {
    response.add_warnings(absl::StrCat("manifest row ", row.row, " (", row.file,
                                       ") is not used: ", row.reason));
  }
  prepared_ = std::move(prepared);
  return response;
}

absl::Status TorchTrainer::Begin(const std::string& frozen_path) {
  if (prepared_ == nullptr) {
    return absl::FailedPreconditionError("the trainer is not prepared");
  }
  Module::SetThreads(prepared_->threads);
  if (prepared_->layout.frozen_size == 0) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(
      std::vector<float> frozen,
      ReadFloats(frozen_path, 0,
                 static_cast<size_t>(prepared_->layout.frozen_size)));
  return prepared_->module->LoadFrozen(frozen);
}

absl::StatusOr<std::vector<float>> TorchTrainer::LoadTrack(
    const std::string& global_path, size_t track) {
  size_t size = static_cast<size_t>(prepared_->layout.travelling_size);
  HILUM_ASSIGN_OR_RETURN(
      std::vector<float> values,
      ReadFloats(global_path, track * size * sizeof(float), size));
  HILUM_RETURN_IF_ERROR(prepared_->module->Load(values));
  return values;
}

absl::StatusOr<v1::TrackUpdate> TorchTrainer::TrainTrack(
    const v1::TrainRequest& request, size_t track_index) {
  Prepared& p = *prepared_;
  const Track& track = p.tracks[track_index];
  const v1::Training& training = p.study.training();
  const int classes = p.study.classes_size();
  const int size = static_cast<int>(p.study.model().input_size());
  std::vector<size_t> cases = p.CasesOf(track, /*held_out=*/false);
  Rng shuffle = p.MakeRng("shuffle", track, request.round());
  Rng augment = p.MakeRng("augment", track, request.round());
  Rng dropout = p.MakeRng("dropout", track, request.round());

  const std::vector<float> offsets = p.LogitOffsets(cases);

  v1::TrackUpdate update;
  update.set_num_examples(cases.size());
  for (uint32_t epoch = 0; epoch < training.local_epochs(); ++epoch) {
    shuffle.Shuffle(cases);
    double loss = 0;
    for (size_t at = 0; at < cases.size(); at += training.batch_size()) {
      size_t end = std::min<size_t>(cases.size(), at + training.batch_size());
      Batch batch;
      batch.logit_offsets = offsets;
      for (size_t i = at; i < end; ++i) {
        int label = p.cases()[cases[i]].label;
        AppendAugmented(p.PlaneOf(track.arm, cases[i]), size, augment,
                        batch.pixels);
        batch.labels.push_back(label);
        batch.weights.push_back(
            request.class_weights().empty()
                ? 1.0f
                : static_cast<float>(request.class_weights(
                      static_cast<int>(track_index) * classes + label)));
      }
      absl::StatusOr<double> step = p.module->TrainBatch(batch, dropout);
      if (!step.ok()) {
        return absl::Status(
            step.status().code(),
            absl::StrCat("track ", ArmTrackName(track), ", local epoch ",
                         epoch + 1, ": ", step.status().message()));
      }
      loss += *step;
    }
    update.set_loss_sum(loss);
  }
  return update;
}

absl::StatusOr<v1::TrainResponse> TorchTrainer::Train(
    const v1::TrainRequest& request) {
  HILUM_RETURN_IF_ERROR(Begin(request.frozen_path()));
  const Prepared& p = *prepared_;
  int cells = static_cast<int>(p.tracks.size()) * p.study.classes_size();
  if (!request.class_weights().empty() &&
      request.class_weights_size() != cells) {
    return absl::InvalidArgumentError("class_weights of another length");
  }
  const std::string& path = request.delta_path();
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot write", path);
  v1::TrainResponse response;
  for (size_t t = 0; t < p.tracks.size(); ++t) {
    HILUM_ASSIGN_OR_RETURN(std::vector<float> before,
                           LoadTrack(request.global_path(), t));
    HILUM_ASSIGN_OR_RETURN(*response.add_tracks(), TrainTrack(request, t));
    std::vector<float> delta = p.module->Travelling();
    for (size_t i = 0; i < delta.size(); ++i) delta[i] -= before[i];
    HILUM_RETURN_IF_ERROR(
        WriteFloats(fd.get(), path, t * delta.size() * sizeof(float), delta));
  }
  return response;
}

absl::Status TorchTrainer::EvaluateTrack(size_t track_index,
                                         absl::string_view model,
                                         v1::TrackEvaluation& evaluation,
                                         std::string& predictions) {
  Prepared& p = *prepared_;
  const Track& track = p.tracks[track_index];
  const size_t classes = static_cast<size_t>(p.study.classes_size());
  std::vector<size_t> cases = p.CasesOf(track, /*held_out=*/true);
  for (size_t at = 0; at < cases.size(); at += kPredictBatch) {
    size_t end = std::min(cases.size(), at + kPredictBatch);
    std::vector<float> pixels;
    for (size_t i = at; i < end; ++i) {
      AppendPlane(p.PlaneOf(track.arm, cases[i]), pixels);
    }
    HILUM_ASSIGN_OR_RETURN(std::vector<float> logits,
                           p.module->Predict(pixels));
    for (size_t i = at; i < end; ++i) {
      const CaseRow& row = p.cases()[cases[i]];
      absl::Span<const float> scores(logits.data() + (i - at) * classes,
                                     classes);
      AddCase(scores, row.label, evaluation);
      std::vector<double> log_softmax = LogSoftmax(scores);
      absl::StrAppend(&predictions, CsvField(row.file), ",", ArmName(track.arm),
                      ",", model, ",", TrackName(track), ",",
                      p.study.classes(row.label));
      for (double value : log_softmax) {
        absl::StrAppendFormat(&predictions, ",%.9g", std::exp(value));
      }
      predictions += '\n';
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::EvaluateResponse> TorchTrainer::Evaluate(
    const v1::EvaluateRequest& request) {
  HILUM_RETURN_IF_ERROR(Begin(request.frozen_path()));
  const Prepared& p = *prepared_;
  const std::string model =
      request.model().empty() ? "federated" : request.model();
  std::string predictions = "case,arm,model,track,label";
  for (const std::string& label : p.study.classes()) {
    absl::StrAppend(&predictions, ",score_", label);
  }
  predictions += '\n';
  v1::EvaluateResponse response;
  for (size_t t = 0; t < p.tracks.size(); ++t) {
    if (p.tracks[t].IsFinal()) continue;
    HILUM_RETURN_IF_ERROR(LoadTrack(request.global_path(), t).status());
    v1::TrackEvaluation evaluation =
        NewEvaluation(static_cast<int>(t), p.study.classes_size(),
                      static_cast<int>(p.study.evaluation().score_bins()));
    HILUM_RETURN_IF_ERROR(EvaluateTrack(t, model, evaluation, predictions));
    *response.add_tracks() = std::move(evaluation);
  }
  if (request.predictions_path().empty()) return response;
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      request.predictions_path(), predictions, Durability::kSync, 0600));
  return response;
}

}  // namespace hilum
