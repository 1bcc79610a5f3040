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
#include "site_agent/trainer/learning/track_round.h"

namespace hilum {
namespace {

constexpr size_t kPredictBatch = 64;
constexpr size_t kHeatBatch = 16;

// Predicts unaugmented cases, batch by batch: calls `take` for each, in their
// order, with its pool index and logits [classes].
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

// Makes the batch of a step: the cases' versions, labels and weights.
Batch BatchOf(const PreparedStudy& study, const CaseInputs& inputs, v1::Arm arm,
              const TrackStep& step, absl::Span<const double> class_weights) {
  Batch batch;
  std::vector<CaseVersion> versions;
  for (size_t index : step.cases) {
    const int label = study.cases()[index].label;
    versions.push_back({index, study.VersionAt(index, step.epochs_before)});
    batch.labels.push_back(label);
    batch.weights.push_back(
        class_weights.empty()
            ? 1.0f
            : static_cast<float>(class_weights[static_cast<size_t>(label)]));
  }
  batch.inputs = inputs.Of(arm, versions);
  return batch;
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

// A case and its predicted class.
struct Seen {
  size_t index;
  int label;
};

// Sums up how much of the heat for the predicted classes lies in the lungs.
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
                        Module& module, const TrackRound& at,
                        absl::Span<const double> class_weights,
                        absl::Span<const float> before, TrainedTrack& trained) {
  const Track& track = study.tracks[at.track];
  const std::vector<float> offsets =
      study.LogitOffsets(study.CasesOf(track, Part::kTraining));
  Rng dropout = study.MakeRng("dropout", track, at.round);
  const auto step = [&](const TrackStep& next) {
    Batch batch = BatchOf(study, inputs, track.arm, next, class_weights);
    batch.logit_offsets = offsets;
    return module.TrainBatch(batch, next.rate_factor, dropout);
  };
  const auto validate =
      [&](absl::Span<const size_t> cases) -> absl::StatusOr<double> {
    double loss = 0;
    HILUM_RETURN_IF_ERROR(
        Predict(study, inputs, module, track.arm, cases,
                [&](size_t index, absl::Span<const float> logits) {
                  const int label = study.cases()[index].label;
                  loss -= LogSoftmax(logits)[static_cast<size_t>(label)];
                }));
    return loss;
  };
  const auto travelling = [&]() -> absl::StatusOr<std::vector<float>> {
    return module.Travelling();
  };
  HILUM_RETURN_IF_ERROR(
      TrainOneTrack(study, at, before, {step, validate, travelling}, trained));
  if (trained.update.num_examples() > 0) trained.local = module.Local();
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
