// SPDX-License-Identifier: Apache-2.0
// What a site may say of a study's models on its held-out cases.
#ifndef HILUM_COMMON_CONFIG_EVALUATION_H_
#define HILUM_COMMON_CONFIG_EVALUATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// INVALID_ARGUMENT: other tracks than those of the study that hold cases out,
// in order; another number of classes or bins; a loss that is not finite; more
// than kMaxArmCases cases in a track; histograms of a class that disagree with
// the confusion counts and are not withheld; more maps than cases, or sums of
// their shares out of [0, maps]; any of the three over 0 where the study
// localizes nothing. In a study of segmentation: anything of these but the
// loss, or overlaps as of CheckOverlaps; in others: overlaps.
absl::Status CheckEvaluationShape(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::TrackEvaluation>& tracks);

// Held-out cases that a track was scored on.
uint64_t EvaluatedCases(const v1::TrackEvaluation& track);

// Of one site or of a cohort; counts too small for their sums to wrap.
// `rounding`: by how much a sum may have passed its bound. INVALID_ARGUMENT:
// not an overlap of each class and one of all; more patients or implausible
// cases than cases, or patients of none; a sum over patients out of [0,
// patients], of squares over that of what was squared, IoU over Dice; cases and
// implausible ones of the classes that are not all's in sum; patients of all
// fewer than of a class or more than of the classes in sum.
absl::Status CheckOverlaps(const v1::Study& study,
                           const v1::TrackEvaluation& track, double rounding);

// Returns whether a class's histograms have as many cases as the confusion has
// with that truth, and with another. Counts are of the study's shape and too
// small for their sums to wrap; of one site or of a cohort.
bool ScoresMatchConfusion(const v1::TrackEvaluation& track, int label);

// Which histograms may be sent, [tracks * classes], as HistogramsShown
// (cohort_rules.h) has it. Empty: all.
using ShownHistograms = std::vector<bool>;

// Returns whether the histograms of each class are as ScoresMatchConfusion
// wants them where they are shown, and all zeros where not.
bool HistogramsAre(const ShownHistograms& shown,
                   const v1::TrackEvaluation& track);

// Sets to zero the histograms that are not shown. `tracks` are of the study's
// shape. A site calls it before it sends its evaluation, in clear or in a sum.
void WithholdHistograms(
    const ShownHistograms& shown,
    google::protobuf::RepeatedPtrField<v1::TrackEvaluation>& tracks);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_EVALUATION_H_
