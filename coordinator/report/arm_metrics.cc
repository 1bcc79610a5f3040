// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/arm_metrics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/config/evaluation.h"
#include "common/config/study.h"
#include "common/metrics/overlap.h"
#include "coordinator/trained_tracks.h"

namespace hilum {

PooledScores::PooledScores(const v1::Study& study)
    : confusion(study.classes_size()),
      positives(static_cast<size_t>(study.classes_size()),
                std::vector<uint64_t>(IsSegmentation(study)
                                          ? 0
                                          : study.evaluation().score_bins())),
      negatives(positives),
      tracks_shown(static_cast<size_t>(study.classes_size())),
      tracks_withheld(tracks_shown),
      overlaps(IsSegmentation(study)
                   ? static_cast<size_t>(study.classes_size()) + 1
                   : 0) {}

void PooledScores::AddOverlaps(const v1::TrackEvaluation& track) {
  for (int c = 0; c < track.overlaps_size(); ++c) {
    AddOverlap(track.overlaps(c), overlaps[static_cast<size_t>(c)]);
  }
  loss_sum += track.loss_sum();
}

uint64_t PooledScores::Cases() const {
  return overlaps.empty() ? confusion.Total() : overlaps.back().cases();
}

std::optional<double> PooledScores::MeanLoss() const {
  if (Cases() == 0) return std::nullopt;
  return loss_sum / static_cast<double>(Cases());
}

void PooledScores::Add(const v1::TrackEvaluation& track) {
  if (!overlaps.empty()) return AddOverlaps(track);
  const int classes = confusion.num_classes();
  const uint64_t cases = EvaluatedCases(track);
  for (int truth = 0; truth < classes; ++truth) {
    for (int guess = 0; guess < classes; ++guess) {
      confusion.Add(truth, guess, track.confusion(truth * classes + guess));
    }
    size_t c = static_cast<size_t>(truth);
    const v1::ScoreHistogram& scores = track.classes(truth);
    if (cases == 0) continue;
    const bool shown = ScoresMatchConfusion(track, truth);
    ++(shown ? tracks_shown : tracks_withheld)[c];
    if (!shown) continue;
    for (int b = 0; b < scores.positives_size(); ++b) {
      positives[c][static_cast<size_t>(b)] += scores.positives(b);
      negatives[c][static_cast<size_t>(b)] += scores.negatives(b);
    }
  }
  loss_sum += track.loss_sum();
  mapped += track.mapped();
  map_in_lungs_sum += track.map_in_lungs_sum();
  lung_share_sum += track.lung_share_sum();
}

std::optional<BinnedAuc> PooledScores::Auc(int label) const {
  const BinnedScores scores = Scores(label);
  return ComputeBinnedAuc(scores.positives, scores.negatives);
}

BinnedScores PooledScores::Scores(int label) const {
  const size_t c = static_cast<size_t>(label);
  return {positives[c], negatives[c]};
}

std::string PooledScores::AucNote(int label) const {
  const int shown = tracks_shown[static_cast<size_t>(label)];
  const int withheld = tracks_withheld[static_cast<size_t>(label)];
  if (withheld == 0) return "";
  if (shown == 0) return "not shown (fewer than ten patients)";
  return absl::StrCat("of ", shown, " of ", shown + withheld,
                      " folds, the others have fewer than ten patients");
}

std::optional<double> PooledScores::MacroAuc() const {
  std::vector<std::optional<double>> values;
  for (int c = 0; c < confusion.num_classes(); ++c) {
    std::optional<BinnedAuc> auc = Auc(c);
    values.push_back(auc ? std::optional(auc->auc) : std::nullopt);
  }
  return MeanOfPresent(values);
}

std::optional<double> PooledScores::PrevalenceWeightedAuc() const {
  double sum = 0, cases = 0;
  for (int c = 0; c < confusion.num_classes(); ++c) {
    const std::optional<BinnedAuc> auc = Auc(c);
    if (!auc) continue;
    const double weight = static_cast<double>(confusion.RowSum(c));
    sum += weight * auc->auc;
    cases += weight;
  }
  if (cases == 0) return std::nullopt;
  return sum / cases;
}

std::optional<double> PooledScores::MacroSensitivity() const {
  std::vector<std::optional<double>> values;
  for (int c = 0; c < confusion.num_classes(); ++c) {
    values.push_back(confusion.Sensitivity(c));
  }
  return MeanOfPresent(values);
}

std::optional<double> PooledScores::MacroSpecificity() const {
  std::vector<std::optional<double>> values;
  for (int c = 0; c < confusion.num_classes(); ++c) {
    values.push_back(confusion.Specificity(c));
  }
  return MeanOfPresent(values);
}

std::string ArmTitle(v1::Arm arm) {
  return arm == v1::ARM_SEGMENTED ? "Segmented lungs" : "Whole radiograph";
}

std::vector<double> TrackValidationLosses(const StudyResult& result,
                                          size_t track) {
  const size_t tracks = StudyTracks(result.study).size();
  std::vector<double> losses;
  for (const RoundSummary& round : result.rounds) {
    losses.push_back(round.validation_loss.size() == tracks
                         ? round.validation_loss[track]
                         : round.MeanValidationLoss());
  }
  return losses;
}

// Adds the losses of the arm with this index, one of `count`.
static void AddLosses(const std::vector<RoundSummary>& rounds, size_t index,
                      size_t count, ArmMetrics& arm) {
  for (const RoundSummary& round : rounds) {
    arm.losses.push_back(round.ArmLoss(index, count));
    if (round.validation_loss.empty()) continue;
    arm.validation_losses.push_back(round.ArmValidationLoss(index, count));
  }
}

std::vector<ArmMetrics> ComputeArmMetrics(const StudyResult& result) {
  const v1::Study& study = result.study;
  const size_t folds = study.cross_validation().folds();
  const std::vector<Track> tracks = StudyTracks(study);
  const std::vector<bool> trained = TrainedTracks(result);
  const auto count = static_cast<size_t>(study.arms_size());
  const size_t per_arm = tracks.size() / count;
  std::vector<ArmMetrics> arms;
  for (size_t first = 0; first < tracks.size(); first += per_arm) {
    ArmMetrics arm{.arm = tracks[first].arm,
                   .first_track = static_cast<int>(first),
                   .pooled = PooledScores(study),
                   .folds = {folds, PooledScores(study)}};
    const auto has = [&](const v1::TrackEvaluation& track) {
      return track.track() >= first && track.track() < first + per_arm;
    };
    const auto begin = trained.begin() + static_cast<ptrdiff_t>(first);
    const bool all_folds =
        std::all_of(begin, begin + static_cast<ptrdiff_t>(folds),
                    [](bool is) { return is; });
    for (const v1::TrackEvaluation& track : result.evaluation_totals.tracks()) {
      if (!has(track) || !trained[track.track()]) continue;
      if (all_folds) arm.pooled.Add(track);
      arm.folds[track.track() - first].Add(track);
    }
    for (const auto& [site, evaluation] : result.evaluations) {
      PooledScores& own =
          arm.sites.emplace(site.name(), PooledScores(study)).first->second;
      for (const v1::TrackEvaluation& track : evaluation.tracks()) {
        if (has(track) && all_folds) own.Add(track);
      }
    }
    AddLosses(result.rounds, arms.size(), count, arm);
    arms.push_back(std::move(arm));
  }
  return arms;
}

}  // namespace hilum
