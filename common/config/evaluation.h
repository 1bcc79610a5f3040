// SPDX-License-Identifier: Apache-2.0
// Checks of a site's evaluation of a study's models on held-out cases.
#ifndef HILUM_COMMON_CONFIG_EVALUATION_H_
#define HILUM_COMMON_CONFIG_EVALUATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Checks an evaluation. INVALID_ARGUMENT: other tracks than those with held-out
// cases, in order; another number of classes or bins; a loss that is not
// finite; more than kMaxArmCases cases in a track; histograms of a class that
// disagree with the confusion counts and are not withheld; more maps than
// cases, or sums of their shares out of [0, maps]; figures of maps where the
// study localizes nothing. In a study of segmentation: any of these figures but
// the loss, or overlaps that fail CheckOverlaps; in others: any overlap.
absl::Status CheckEvaluationShape(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::TrackEvaluation>& tracks);

// Returns the number of held-out cases that a track was scored on.
uint64_t EvaluatedCases(const v1::TrackEvaluation& track);

// Checks the overlaps of one site or of a cohort, whose counts are too small
// for their sums to wrap. `rounding`: by how much a sum may exceed its bound.
// INVALID_ARGUMENT:
// - not one overlap for each class and one for all cases;
// - more patients or implausible cases than cases, or cases without patients;
// - a sum over patients out of [0, patients], a sum of squares over the plain
//   sum, IoU over Dice;
// - cases or implausible cases of the classes that do not add up to those of
//   all;
// - fewer patients in all than in a class, or more than in the classes in sum.
absl::Status CheckOverlaps(const v1::Study& study,
                           const v1::TrackEvaluation& track, double rounding);

// Returns whether a class's histograms have as many cases as the confusion has
// with that true class, and with another. Counts have the study's shape and are
// too small for their sums to wrap; they are one site's or a cohort's.
bool ScoresMatchConfusion(const v1::TrackEvaluation& track, int label);

// Which histograms may be sent, [tracks * classes], from HistogramsShown
// (cohort_rules.h). Empty: all.
using ShownHistograms = std::vector<bool>;

// Returns whether each class's histograms pass ScoresMatchConfusion where they
// are shown, and are all zeros where they are not.
bool HistogramsAre(const ShownHistograms& shown,
                   const v1::TrackEvaluation& track);

// Sets to zero the histograms that are not shown. `tracks` have the study's
// shape. A site calls it before it sends its evaluation, in clear or in a sum.
void WithholdHistograms(
    const ShownHistograms& shown,
    google::protobuf::RepeatedPtrField<v1::TrackEvaluation>& tracks);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_EVALUATION_H_
