// SPDX-License-Identifier: Apache-2.0
// Computes the metrics of an arm from the sites' evaluations, for both reports.
#ifndef HILUM_COORDINATOR_REPORT_ARM_METRICS_H_
#define HILUM_COORDINATOR_REPORT_ARM_METRICS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/metrics/binned_roc.h"
#include "common/metrics/confusion.h"
#include "common/metrics/score_bins.h"
#include "coordinator/study_result.h"

namespace hilum {

// Held-out cases of some sites and tracks, summed.
struct PooledScores {
  explicit PooledScores(const v1::Study& study);
  void Add(const v1::TrackEvaluation& track);
  uint64_t Cases() const;
  std::optional<double> MeanLoss() const;
  // Returns the AUC over the tracks whose histograms are shown; nothing where
  // none is.
  std::optional<BinnedAuc> Auc(int label) const;
  // Returns a view of the class's histograms, over the same tracks.
  BinnedScores Scores(int label) const;
  // Returns why there is no AUC, or which part of the folds it covers; empty:
  // it covers all cases, or there are none.
  std::string AucNote(int label) const;
  std::optional<double> MacroAuc() const;
  // Returns the mean over the classes that have an AUC, each weighted with its
  // share of the cases.
  std::optional<double> PrevalenceWeightedAuc() const;
  std::optional<double> MacroSensitivity() const;
  std::optional<double> MacroSpecificity() const;

  // Without cases in a study of segmentation; then there are no bins.
  Confusion confusion;
  std::vector<std::vector<uint64_t>> positives;  // [classes][bins]
  std::vector<std::vector<uint64_t>> negatives;  // [classes][bins]
  // [classes]: the number of tracks whose histograms of the class are in
  // positives and negatives, and of tracks with cases whose histograms were
  // withheld (HistogramsShown).
  std::vector<int> tracks_shown, tracks_withheld;
  double loss_sum = 0;
  // Sums over class activation maps, as in TrackEvaluation.
  uint64_t mapped = 0;
  double map_in_lungs_sum = 0;
  double lung_share_sum = 0;
  // Overlaps in a study of segmentation, as in TrackEvaluation, [classes + 1].
  std::vector<v1::Overlap> overlaps;

 private:
  void AddOverlaps(const v1::TrackEvaluation& track);
};

// The metrics of one arm. A fold whose model is not trained
// (coordinator/trained_tracks.h) has no scores. With such a fold nothing is
// pooled over the folds: `pooled` and `sites` have no cases.
struct ArmMetrics {
  v1::Arm arm;
  int first_track;                            // index among the study's tracks
  PooledScores pooled;                        // all folds, all sites
  std::map<std::string, PooledScores> sites;  // sites whose figures are known
  std::vector<PooledScores> folds;            // all sites
  std::vector<double> losses;                 // [rounds], over its tracks
  // [rounds], over its tracks; empty: the study does not validate.
  std::vector<double> validation_losses;
};

std::string ArmTitle(v1::Arm arm);  // for people

// Returns [rounds]: the track's validation losses, of the model with which each
// round began; NaN: it was not tried. Of all tracks together in studies whose
// tracks had one choice.
std::vector<double> TrackValidationLosses(const StudyResult& result,
                                          size_t track);

std::vector<ArmMetrics> ComputeArmMetrics(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_ARM_METRICS_H_
