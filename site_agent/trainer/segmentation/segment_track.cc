// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segment_track.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/aggregation/ring.h"
#include "common/base/csv.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/lungs/lung_mask.h"
#include "site_agent/trainer/learning/track_round.h"
#include "site_agent/trainer/segmentation/augment_pair.h"
#include "site_agent/trainer/segmentation/overlap.h"

namespace hilum {
namespace {

constexpr size_t kTryBatch = 16;

// Adds a case's image and mask in version `version`.
void AppendVersion(const PreparedStudy& study, size_t index, uint64_t version,
                   SegmentBatch& batch) {
  const Plane& plane = study.PlaneOf(v1::ARM_WHOLE, index);
  const Plane& lungs = study.LungsOf(v1::ARM_WHOLE, index);
  if (version == 0) {
    AppendPair(plane, lungs, batch.pixels, batch.masks);
    return;
  }
  Rng rng = study.SecretRng(absl::StrCat(
      "augment/lungs/", ToHex(study.pool.data.digests[index]), "/", version));
  AppendAugmentedPair(
      plane, lungs, static_cast<int>(study.study.model().input_size()),
      study.study.training().augmentation(), rng, batch.pixels, batch.masks);
}

// Evaluates unaugmented cases: calls `take` for each, in their order, with its
// pool index, probabilities [size, size] and loss.
absl::Status TryCases(
    const PreparedStudy& study, Segmenter& segmenter,
    absl::Span<const size_t> cases,
    absl::FunctionRef<void(size_t, absl::Span<const float>, double)> take) {
  for (size_t at = 0; at < cases.size(); at += kTryBatch) {
    const absl::Span<const size_t> some = cases.subspan(at, kTryBatch);
    SegmentBatch batch;
    for (size_t index : some) AppendVersion(study, index, 0, batch);
    HILUM_ASSIGN_OR_RETURN(const SegmentOutcome outcome, segmenter.Try(batch));
    const size_t pixels = outcome.probabilities.size() / some.size();
    for (size_t i = 0; i < some.size(); ++i) {
      take(some[i],
           absl::Span<const float>(outcome.probabilities)
               .subspan(i * pixels, pixels),
           outcome.losses[i]);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFinite(absl::Span<const float> weights, const Track& track) {
  for (float value : weights) {
    if (std::isfinite(value)) continue;
    return absl::OutOfRangeError(
        absl::StrCat("track ", ArmTrackName(track),
                     ": weights are not finite; use a smaller learning rate"));
  }
  return absl::OkStatus();
}

// Limits the round's change of running statistics to the range of an update;
// larger changes take several rounds. They are not learned parameters.
void LimitStatistics(const Architecture& architecture,
                     std::vector<float>& delta) {
  size_t at = 0;
  for (const TensorSpec& spec : architecture.tensors) {
    const size_t end = at + static_cast<size_t>(spec.size());
    const bool runs = spec.role == TensorRole::kRunningMean ||
                      spec.role == TensorRole::kRunningVariance;
    for (; at < end; ++at) {
      if (runs) delta[at] = std::clamp(delta[at], -kMaxDelta, kMaxDelta);
    }
  }
}

// Returns the pixels of which more than half is lung.
BinaryMask MaskOf(const Plane& lungs, int size) {
  BinaryMask mask{size, size, {}};
  for (uint16_t v : lungs) mask.pixels.push_back(v > 65535 / 2);
  return mask;
}

BinaryMask FoundMask(absl::Span<const float> probabilities, int size) {
  BinaryMask mask{size, size, {}};
  for (float p : probabilities) mask.pixels.push_back(p > 0.5f);
  return CleanLungMask(mask);
}

}  // namespace

absl::Status TrainSegmentTrack(const PreparedStudy& study, Segmenter& segmenter,
                               size_t track_index, uint32_t round,
                               absl::Span<const float> before,
                               TrainedTrack& trained) {
  const Track& track = study.tracks[track_index];
  const auto step = [&](const TrackStep& at) -> absl::StatusOr<double> {
    SegmentBatch batch;
    for (size_t index : at.cases) {
      AppendVersion(study, index, study.VersionAt(index, at.epochs_before),
                    batch);
    }
    HILUM_ASSIGN_OR_RETURN(const double mean,
                           segmenter.TrainBatch(batch, at.rate_factor));
    return mean * static_cast<double>(at.cases.size());
  };
  const auto validate =
      [&](absl::Span<const size_t> cases) -> absl::StatusOr<double> {
    double sum = 0;
    HILUM_RETURN_IF_ERROR(TryCases(
        study, segmenter, cases,
        [&](size_t, absl::Span<const float>, double loss) { sum += loss; }));
    return sum;
  };
  const auto travelling = [&]() -> absl::StatusOr<std::vector<float>> {
    std::vector<float> weights = segmenter.Weights();
    HILUM_RETURN_IF_ERROR(CheckFinite(weights, track));
    return weights;
  };
  HILUM_RETURN_IF_ERROR(TrainOneTrack(study, {track_index, round}, before,
                                      {step, validate, travelling}, trained));
  LimitStatistics(study.layout.architecture, trained.delta);
  return absl::OkStatus();
}

absl::Status EvaluateSegmentTrack(const PreparedStudy& study,
                                  Segmenter& segmenter, size_t track_index,
                                  absl::string_view model,
                                  EvaluatedTrack& evaluated) {
  const Track& track = study.tracks[track_index];
  const int size = segmenter.size();
  evaluated = {};
  double sum = 0;
  OverlapSums sums(study.classes());
  HILUM_RETURN_IF_ERROR(TryCases(
      study, segmenter, study.CasesOf(track, Part::kHeldOut),
      [&](size_t index, absl::Span<const float> probabilities, double loss) {
        const CaseRow& row = study.cases()[index];
        const BinaryMask found = FoundMask(probabilities, size);
        // Judges the mask in the proportions of the image, which need not be
        // square.
        const ImageFacts& facts = study.pool.data.facts[index];
        const LungMaskVerdict verdict = JudgeLungMask(
            MaskInProportions(found, facts.rows, facts.columns, size));
        const Overlap overlap =
            OverlapOf(found, MaskOf(study.LungsOf(v1::ARM_WHOLE, index), size));
        sums.Add(row.label, row.patient_id, overlap, !verdict.accepted());
        sum += loss;
        absl::StrAppendFormat(
            &evaluated.predictions, "%s,%s,%s,%s,%s,%.9g,%.9g,%s\n",
            CsvField(row.file), ArmName(track.arm), model, TrackName(track),
            study.study.classes(row.label), overlap.dice, overlap.iou,
            FaultName(verdict.fault));
      }));
  evaluated.evaluation.set_track(static_cast<uint32_t>(track_index));
  evaluated.evaluation.set_loss_sum(sum);
  for (v1::Overlap& overlap : sums.Sums()) {
    *evaluated.evaluation.add_overlaps() = std::move(overlap);
  }
  return absl::OkStatus();
}

}  // namespace hilum
