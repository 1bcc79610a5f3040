// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/torch_trainer.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file.h"
#include "common/base/ordered_pipeline.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/model/blobs.h"
#include "site_agent/trainer/augment.h"
#include "site_agent/trainer/scores.h"

namespace hilum {
namespace {

constexpr size_t kPredictBatch = 64;

// A network up to this size is held once for each thread.
constexpr int64_t kMostBytesPerThread = 64 << 20;

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

// Lends its modules, each to one thread at a time.
class ModulePool {
 public:
  // As many modules as threads, or one for all of them where it is large.
  static absl::StatusOr<std::unique_ptr<ModulePool>> Create(
      const ParameterLayout& layout, const v1::Study& study, int threads) {
    auto pool = std::make_unique<ModulePool>();
    const int64_t bytes =
        (layout.frozen_size + layout.travelling_size) * int64_t{sizeof(float)};
    const bool large = bytes > kMostBytesPerThread;
    pool->threads_each_ = large ? threads : 1;
    for (int i = 0; i < (large ? 1 : threads); ++i) {
      HILUM_ASSIGN_OR_RETURN(pool->modules_.emplace_back(),
                             Module::Create(layout, study));
      pool->free_.push_back(pool->modules_.back().get());
    }
    return pool;
  }

  int size() const { return static_cast<int>(modules_.size()); }

  absl::Status LoadFrozen(absl::Span<const float> values) {
    for (const auto& module : modules_) {
      HILUM_RETURN_IF_ERROR(module->LoadFrozen(values));
    }
    return absl::OkStatus();
  }

  // Not more than size() at a time; the module computes in this thread.
  Module& Take() {
    Module::SetThreads(threads_each_);
    absl::MutexLock lock(&mutex_);
    Module* module = free_.back();
    free_.pop_back();
    return *module;
  }
  void Return(Module& module) {
    absl::MutexLock lock(&mutex_);
    free_.push_back(&module);
  }

 private:
  std::vector<std::unique_ptr<Module>> modules_;
  int threads_each_ = 1;
  absl::Mutex mutex_;
  std::vector<Module*> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

struct TorchTrainer::Prepared {
  v1::Study study;
  ParameterLayout layout;
  std::vector<Track> tracks;
  std::string site;
  CasePool pool;
  std::unique_ptr<ModulePool> modules;

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
  const int threads =
      request.threads() > 0
          ? static_cast<int>(request.threads())
          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  HILUM_ASSIGN_OR_RETURN(p.modules,
                         ModulePool::Create(p.layout, p.study, threads));

  std::vector<CaseSource> sources = {{.manifest = request.manifest(),
                                      .site_column = request.site_column(),
                                      .site = request.site(),
                                      .patient_key = request.patient_key()}};
  sources.insert(sources.end(), further_.begin(), further_.end());
  HILUM_ASSIGN_OR_RETURN(p.pool, LoadCasePool(sources, p.study, threads));
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
  if (prepared_->layout.frozen_size == 0) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(
      std::vector<float> frozen,
      ReadFloats(frozen_path, 0,
                 static_cast<size_t>(prepared_->layout.frozen_size)));
  return prepared_->modules->LoadFrozen(frozen);
}

absl::Status TorchTrainer::ForEachTrack(
    absl::FunctionRef<absl::Status(Module&, size_t, TrackRun&)> make,
    absl::FunctionRef<absl::Status(size_t, TrackRun&)> consume) {
  ModulePool& pool = *prepared_->modules;
  return RunOrdered<TrackRun>(
      static_cast<int64_t>(prepared_->tracks.size()), pool.size(),
      [&](int64_t track, TrackRun& run) {
        Module& module = pool.Take();
        absl::Status status = make(module, static_cast<size_t>(track), run);
        pool.Return(module);
        return status;
      },
      [&](int64_t track, TrackRun& run) {
        return consume(static_cast<size_t>(track), run);
      });
}

absl::StatusOr<std::vector<float>> TorchTrainer::LoadTrack(
    Module& module, const std::string& global_path, size_t track) const {
  size_t size = static_cast<size_t>(prepared_->layout.travelling_size);
  HILUM_ASSIGN_OR_RETURN(
      std::vector<float> values,
      ReadFloats(global_path, track * size * sizeof(float), size));
  HILUM_RETURN_IF_ERROR(module.Load(values));
  return values;
}

absl::Status TorchTrainer::TrainTrack(Module& module,
                                      const v1::TrainRequest& request,
                                      size_t track_index, TrackRun& run) const {
  const Prepared& p = *prepared_;
  HILUM_ASSIGN_OR_RETURN(std::vector<float> before,
                         LoadTrack(module, request.global_path(), track_index));
  const Track& track = p.tracks[track_index];
  const v1::Training& training = p.study.training();
  const int classes = p.study.classes_size();
  const int size = static_cast<int>(p.study.model().input_size());
  std::vector<size_t> cases = p.CasesOf(track, /*held_out=*/false);
  Rng shuffle = p.MakeRng("shuffle", track, request.round());
  Rng augment = p.MakeRng("augment", track, request.round());
  Rng dropout = p.MakeRng("dropout", track, request.round());

  const std::vector<float> offsets = p.LogitOffsets(cases);

  run.update.set_num_examples(cases.size());
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
      absl::StatusOr<double> step = module.TrainBatch(batch, dropout);
      if (!step.ok()) {
        return absl::Status(
            step.status().code(),
            absl::StrCat("track ", ArmTrackName(track), ", local epoch ",
                         epoch + 1, ": ", step.status().message()));
      }
      loss += *step;
    }
    run.update.set_loss_sum(loss);
  }
  run.delta = module.Travelling();
  for (size_t i = 0; i < before.size(); ++i) run.delta[i] -= before[i];
  return absl::OkStatus();
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
  HILUM_RETURN_IF_ERROR(ForEachTrack(
      [&](Module& module, size_t t, TrackRun& run) {
        return TrainTrack(module, request, t, run);
      },
      [&](size_t t, TrackRun& run) {
        *response.add_tracks() = std::exchange(run.update, {});
        return WriteAt(fd.get(), t * run.delta.size() * sizeof(float),
                       BlobBytes(run.delta), path);
      }));
  return response;
}

absl::Status TorchTrainer::EvaluateTrack(Module& module,
                                         const v1::EvaluateRequest& request,
                                         size_t track_index,
                                         TrackRun& run) const {
  const Prepared& p = *prepared_;
  const Track& track = p.tracks[track_index];
  if (track.IsFinal()) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(
      LoadTrack(module, request.global_path(), track_index).status());
  const absl::string_view model = request.model().empty()
                                      ? "federated"
                                      : absl::string_view(request.model());
  run.evaluation =
      NewEvaluation(static_cast<int>(track_index), p.study.classes_size(),
                    static_cast<int>(p.study.evaluation().score_bins()));
  run.predictions.clear();
  const size_t classes = static_cast<size_t>(p.study.classes_size());
  std::vector<size_t> cases = p.CasesOf(track, /*held_out=*/true);
  for (size_t at = 0; at < cases.size(); at += kPredictBatch) {
    size_t end = std::min(cases.size(), at + kPredictBatch);
    std::vector<float> pixels;
    for (size_t i = at; i < end; ++i) {
      AppendPlane(p.PlaneOf(track.arm, cases[i]), pixels);
    }
    HILUM_ASSIGN_OR_RETURN(std::vector<float> logits, module.Predict(pixels));
    for (size_t i = at; i < end; ++i) {
      const CaseRow& row = p.cases()[cases[i]];
      absl::Span<const float> scores(logits.data() + (i - at) * classes,
                                     classes);
      AddCase(scores, row.label, run.evaluation);
      std::vector<double> log_softmax = LogSoftmax(scores);
      absl::StrAppend(&run.predictions, CsvField(row.file), ",",
                      ArmName(track.arm), ",", model, ",", TrackName(track),
                      ",", p.study.classes(row.label));
      for (double value : log_softmax) {
        absl::StrAppendFormat(&run.predictions, ",%.9g", std::exp(value));
      }
      run.predictions += '\n';
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::EvaluateResponse> TorchTrainer::Evaluate(
    const v1::EvaluateRequest& request) {
  HILUM_RETURN_IF_ERROR(Begin(request.frozen_path()));
  const Prepared& p = *prepared_;
  std::string predictions = "case,arm,model,track,label";
  for (const std::string& label : p.study.classes()) {
    absl::StrAppend(&predictions, ",score_", label);
  }
  predictions += '\n';
  v1::EvaluateResponse response;
  HILUM_RETURN_IF_ERROR(ForEachTrack(
      [&](Module& module, size_t t, TrackRun& run) {
        return EvaluateTrack(module, request, t, run);
      },
      [&](size_t t, TrackRun& run) {
        if (p.tracks[t].IsFinal()) return absl::OkStatus();
        predictions += run.predictions;
        *response.add_tracks() = std::move(run.evaluation);
        return absl::OkStatus();
      }));
  if (request.predictions_path().empty()) return response;
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(
      request.predictions_path(), predictions, Durability::kSync, 0600));
  return response;
}

}  // namespace hilum
