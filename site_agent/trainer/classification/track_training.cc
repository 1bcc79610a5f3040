// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/track_training.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/csv.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/data/augment.h"
#include "site_agent/trainer/data/localization.h"
#include "site_agent/trainer/data/scores.h"
#include "site_agent/trainer/data/steps.h"
#include "site_agent/trainer/learning/schedule.h"

namespace hilum {
namespace {

constexpr size_t kPredictBatch = 64;
constexpr size_t kHeatBatch = 16;

// Logits of cases as they are, batch by batch: `take` is called for each with
// its pool index and logits [classes], in their order.
absl::Status Predict(
    const PreparedStudy& study, const CaseInputs& inputs, Module& module,
    v1::Arm arm, absl::Span<const size_t> cases,
    absl::FunctionRef<void(size_t, absl::Span<const float>)> take) {
  const size_t classes = static_cast<size_t>(study.classes());
  for (size_t at = 0; at < cases.size(); at += kPredictBatch) {
    const absl::Span<const size_t> some = cases.subspan(at, kPredictBatch);
    std::vector<CaseVersion> versions;
    for (size_t index : some) versions.push_back({index, 0});
    Inputs batch = inputs.Of(arm, versions);
    HILUM_ASSIGN_OR_RETURN(std::vector<float> logits, module.Predict(batch));
    for (size_t i = 0; i < some.size(); ++i) {
      take(some[i],
           absl::Span<const float>(logits).subspan(i * classes, classes));
    }
  }
  return absl::OkStatus();
}

// One round's training of one track. Life: Run, once.
class Training {
 public:
  Training(const PreparedStudy& study, const CaseInputs& inputs, Module& module,
           const Track& track, uint32_t round,
           absl::Span<const double> class_weights)
      : study_(study),
        rules_(study.study.training()),
        inputs_(inputs),
        module_(module),
        track_(track),
        round_(round),
        class_weights_(class_weights),
        cases_(study.CasesOf(track, Part::kTraining)),
        batch_size_(study.BatchSizeOf(cases_.size())),
        logit_offsets_(study.LogitOffsets(cases_)),
        shuffle_(study.MakeRng("shuffle", track, round)),
        dropout_(study.MakeRng("dropout", track, round)) {}

  // The sum of losses of the last epoch.
  absl::StatusOr<double> Run() {
    double loss = 0;
    for (uint32_t epoch = 0; epoch < rules_.local_epochs(); ++epoch) {
      shuffle_.Shuffle(cases_);
      HILUM_ASSIGN_OR_RETURN(loss, RunEpoch(epoch));
    }
    return loss;
  }

  // Whether there are cases enough for the steps that the site's policy asks
  // for; Run only then.
  bool HasEnoughCases() const { return batch_size_ > 0; }
  size_t num_examples() const { return cases_.size(); }

 private:
  absl::StatusOr<double> RunEpoch(uint32_t epoch) {
    const size_t size = batch_size_;
    const size_t steps = StepsOfEpoch(study_.study, cases_.size(), size);
    double loss = 0;
    for (size_t at = 0, step = 0; at < cases_.size(); at += size, ++step) {
      absl::StatusOr<double> sum =
          RunStep(absl::Span<const size_t>(cases_).subspan(at, size), epoch,
                  StepRateFactor(rules_, {round_, epoch, step, steps}));
      if (!sum.ok()) {
        return absl::Status(
            sum.status().code(),
            absl::StrCat("track ", ArmTrackName(track_), ", local epoch ",
                         epoch + 1, ": ", sum.status().message()));
      }
      loss += *sum;
    }
    return loss;
  }

  absl::StatusOr<double> RunStep(absl::Span<const size_t> some, uint32_t epoch,
                                 double rate_factor) {
    const uint64_t epochs_before =
        uint64_t{round_ - 1} * rules_.local_epochs() + epoch;
    Batch batch;
    batch.logit_offsets = logit_offsets_;
    std::vector<CaseVersion> versions;
    for (size_t index : some) {
      const int label = study_.cases()[index].label;
      versions.push_back({index, study_.VersionAt(index, epochs_before)});
      batch.labels.push_back(label);
      batch.weights.push_back(
          class_weights_.empty()
              ? 1.0f
              : static_cast<float>(class_weights_[static_cast<size_t>(label)]));
    }
    batch.inputs = inputs_.Of(track_.arm, versions);
    return module_.TrainBatch(batch, rate_factor, dropout_);
  }

  const PreparedStudy& study_;
  const v1::Training& rules_;
  const CaseInputs& inputs_;
  Module& module_;
  const Track& track_;
  const uint32_t round_;
  const absl::Span<const double> class_weights_;
  std::vector<size_t> cases_;
  const size_t batch_size_;
  const std::vector<float> logit_offsets_;
  Rng shuffle_, dropout_;
};

absl::Status Validate(const PreparedStudy& study, const CaseInputs& inputs,
                      Module& module, const Track& track,
                      v1::TrackUpdate& update) {
  const std::vector<size_t> cases = study.CasesOf(track, Part::kValidation);
  double loss = 0;
  HILUM_RETURN_IF_ERROR(
      Predict(study, inputs, module, track.arm, cases,
              [&](size_t index, absl::Span<const float> logits) {
                const int label = study.cases()[index].label;
                loss -= LogSoftmax(logits)[static_cast<size_t>(label)];
              }));
  if (!std::isfinite(loss)) return absl::OkStatus();  // tried on nobody
  update.set_validation_examples(cases.size());
  update.set_validation_loss_sum(loss);
  return absl::OkStatus();
}

void AppendPrediction(const PreparedStudy& study, const Track& track,
                      absl::string_view model, const CaseRow& row,
                      absl::Span<const float> logits, std::string& csv) {
  absl::StrAppend(&csv, CsvField(row.file), ",", ArmName(track.arm), ",", model,
                  ",", TrackName(track), ",", study.study.classes(row.label));
  for (double value : LogSoftmax(logits)) {
    absl::StrAppendFormat(&csv, ",%.9g", std::exp(value));
  }
  csv += '\n';
}

// A case and what it was taken for.
struct Seen {
  size_t index;
  int label;
};

// Sums up how much of the heat of what cases were taken for lies in the lungs.
absl::Status Localize(const PreparedStudy& study, Module& module, v1::Arm arm,
                      absl::Span<const Seen> seen,
                      v1::TrackEvaluation& evaluation) {
  const size_t size = study.study.model().input_size() *
                      size_t{study.study.model().input_size()};
  for (size_t at = 0; at < seen.size(); at += kHeatBatch) {
    const absl::Span<const Seen> some = seen.subspan(at, kHeatBatch);
    std::vector<float> pixels;
    std::vector<int> classes;
    for (const Seen& one : some) {
      study.AppendPixels(arm, {one.index, 0}, pixels);
      classes.push_back(one.label);
    }
    HILUM_ASSIGN_OR_RETURN(const std::vector<float> heat,
                           module.Heat(pixels, classes));
    for (size_t i = 0; i < some.size(); ++i) {
      std::vector<float> lungs;
      AppendPlane(study.LungsOf(arm, some[i].index), lungs);
      const std::optional<Localization> found = LocalizationOf(
          absl::Span<const float>(heat).subspan(i * size, size), lungs);
      if (!found.has_value()) continue;  // no heat at all
      evaluation.set_mapped(evaluation.mapped() + 1);
      evaluation.set_map_in_lungs_sum(evaluation.map_in_lungs_sum() +
                                      found->heat_in_lungs);
      evaluation.set_lung_share_sum(evaluation.lung_share_sum() +
                                    found->lung_share);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TrainTrack(const PreparedStudy& study, const CaseInputs& inputs,
                        Module& module, size_t track_index, uint32_t round,
                        absl::Span<const double> class_weights,
                        absl::Span<const float> before, TrainedTrack& trained) {
  const Track& track = study.tracks[track_index];
  trained.update.Clear();
  trained.warning.clear();
  Training training(study, inputs, module, track, round, class_weights);
  if (!training.HasEnoughCases()) {
    LeaveOut(before.size(), trained);
    return absl::OkStatus();
  }
  if (study.study.training().validation().share() > 0) {
    HILUM_RETURN_IF_ERROR(
        Validate(study, inputs, module, track, trained.update));
  }
  const absl::StatusOr<double> loss = training.Run();
  if (absl::IsOutOfRange(loss.status())) {
    Withhold(before.size(), loss.status(), trained);
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(loss.status());
  trained.update.set_num_examples(training.num_examples());
  trained.update.set_loss_sum(*loss);
  trained.delta = module.Travelling();
  for (size_t i = 0; i < before.size(); ++i) trained.delta[i] -= before[i];
  trained.local = module.Local();
  return absl::OkStatus();
}

absl::Status EvaluateTrack(const PreparedStudy& study, const CaseInputs& inputs,
                           Module& module, size_t track_index,
                           absl::string_view model, EvaluatedTrack& evaluated) {
  const Track& track = study.tracks[track_index];
  evaluated.evaluation =
      NewEvaluation(static_cast<int>(track_index), study.classes(),
                    static_cast<int>(study.study.evaluation().score_bins()));
  evaluated.predictions.clear();
  std::vector<Seen> mapped;
  HILUM_RETURN_IF_ERROR(Predict(
      study, inputs, module, track.arm, study.CasesOf(track, Part::kHeldOut),
      [&](size_t index, absl::Span<const float> logits) {
        const CaseRow& row = study.cases()[index];
        AddCase(logits, row.label, evaluated.evaluation);
        AppendPrediction(study, track, model, row, logits,
                         evaluated.predictions);
        if (study.LungsOf(track.arm, index).empty()) return;
        const auto most = std::max_element(logits.begin(), logits.end());
        mapped.push_back({index, static_cast<int>(most - logits.begin())});
      }));
  return Localize(study, module, track.arm, mapped, evaluated.evaluation);
}

}  // namespace hilum
