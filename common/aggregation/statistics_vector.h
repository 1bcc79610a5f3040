// SPDX-License-Identifier: Apache-2.0
// A site's census and evaluation as vectors of the ring of integers mod 2^32
// (ring.h), so that a cohort's can be summed under masks like its updates; and
// the same sums over single sites' messages in the clear.
//
// A count is one word. No sum of a cohort's counts wraps, since each count of a
// site is below 2^32 / kMaxSites.
//
// A fingerprint's grays and lung_share, in units of 1/4096 of a case, are too
// large for that: a site's are up to kMaxArmCases * 4096 = 2^33. Each travels
// as two words, its value mod 2^16 and its value >> 16; the sum is
// low + 2^16 * high of their sums. A site's low part is below 2^16 and its high
// part at most 2^17, so that the parts of kMaxSites = 1000 < 2^10 sites sum to
// less than 2^26 and 2^27: no wrap; the number to less than 2^43.
//
// The loss is encoded by EncodeLoss, with the track's held-out cases in the
// cohort's census as N. Figures of class activation maps are a count and two
// EncodeShares with the same N; a site has no more maps than held-out cases, so
// the cohort has no more than N. The four sums of an overlap are EncodeShares
// of its patients, who are no more than its cases.
//
// Only the site itself checks the values in its vector: under masks only an
// absurd sum can be detected.
//
// The totals have the study's shape: every arm, every held-out track.
#ifndef HILUM_COMMON_AGGREGATION_STATISTICS_VECTOR_H_
#define HILUM_COMMON_AGGREGATION_STATISTICS_VECTOR_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/config/evaluation.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"
#include "hilum/v1/totals.pb.h"

namespace hilum {

// Returns the number of words of a census: for each arm fold_class_counts and
// fold_class_patients [folds * classes], where the study validates
// fold_validation_patients [folds], without_mask and the fingerprint (grays
// [32] of two words, sides [6], masked, lung_share of two words) and, where the
// study's starting weights list images, fold_class_seen and
// fold_class_unseen_patients [folds * classes]; then rows, rejected_rows,
// lungs_network_cases, orientation_network_cases, cases_not_compared,
// rejected_masks [classes], track_sites [tracks], track_class_sites [tracks *
// classes], capped_patients and, with such weights, capped_unseen_patients,
// both [arms * folds * classes], and, where the study validates,
// capped_validation_patients [arms * folds].
int64_t CensusVectorSize(const v1::Study& study);

// Encodes a census. A site adds 1 or 0 to track_sites and track_class_sites,
// depending on whether TrainingCases of its own arms has any. INVALID_ARGUMENT:
// the census does not have the study's shape (CheckCensusShape), or
// without_mask, rows or rejected_rows are over kMaxRows.
absl::StatusOr<std::vector<uint32_t>> EncodeCensus(
    const v1::Study& study, const v1::SubmitCensusRequest& census);

// Decodes the sum over `sites`. INVALID_ARGUMENT: another length. ABORTED: more
// cases or rows than so many sites can have, a cell with more patients than
// cases, a fingerprint that so many cases cannot have (CheckFingerprint), more
// sites with cases for a track than cases or sites, or no such site where there
// are cases.
absl::StatusOr<v1::CensusTotals> DecodeCensus(const v1::Study& study,
                                              const std::set<SiteId>& sites,
                                              absl::Span<const uint32_t> sums);

// Returns the number of words of an evaluation: for each track with held-out
// cases, in order, the confusion [classes * classes]; for each class positives
// [score_bins] and negatives [score_bins]; the loss; where the study localizes,
// mapped, map_in_lungs_sum and lung_share_sum. In a study of segmentation: for
// each class, then for all together, the seven numbers of an overlap in the
// order of the message; the loss.
int64_t EvaluationVectorSize(const v1::Study& study);

// Encodes an evaluation. `held_out`: the cohort's, from HeldOut
// (common/config/cohort_rules.h); a track with 0 is sent as a track without
// cases, whatever the site has. `shown`: from HistogramsShown; the other
// histograms are sent as zeros. INVALID_ARGUMENT: wrong lengths; `tracks` fail
// CheckEvaluationShape, have more cases than the cohort holds out, or lack a
// histogram that is shown.
absl::StatusOr<std::vector<uint32_t>> EncodeEvaluation(
    const v1::Study& study, const std::vector<uint64_t>& held_out,
    google::protobuf::RepeatedPtrField<v1::TrackEvaluation> tracks,
    const ShownHistograms& shown = {});

// Decodes the sum over `sites`. A loss_sum is within k * 2^-25 * N of the sum
// of the sites' values, for k sites; sums over maps and of overlaps are within
// k * 2^-31 * N. INVALID_ARGUMENT: lengths. ABORTED: a sum that no cohort with
// this census can have: more cases than it holds out; shown histograms that
// disagree with the confusion, or others that are not all zeros; a mean loss
// out of [0, kMaxLoss]; more maps than cases; a mean share over 1; overlaps
// that fail CheckOverlaps.
absl::StatusOr<v1::EvaluationTotals> DecodeEvaluation(
    const v1::Study& study, const std::vector<uint64_t>& held_out,
    const std::set<SiteId>& sites, absl::Span<const uint32_t> sums,
    const ShownHistograms& shown = {});

// Sums the census of each site whose entry has arms. Entries have the study's
// shape. Entries from before protocol 5 have no fingerprints and rejected
// masks; still older ones have 0 patients in each cell.
v1::CensusTotals SumCensus(
    const v1::Study& study,
    const std::map<SiteId, v1::SubmitCensusRequest>& census);

// Adds losses and shares in the order of the sites. Entries have the study's
// shape.
v1::EvaluationTotals SumEvaluations(
    const v1::Study& study,
    const std::map<SiteId, v1::SubmitEvaluationRequest>& evaluations);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_STATISTICS_VECTOR_H_
