// SPDX-License-Identifier: Apache-2.0
// Rules for a cohort's census before anybody trains on it, so that no sum
// singles out a patient or a site; and the weights of each round's vectors.
// Each site computes all of it from the census that it verified itself; the
// coordinator computes it with the same functions. None of it is sent.
//
// Two tracks of an arm differ by one fold's part of the sum, and the rows of a
// classifier's head split that part by class. A cell (arm, fold, class) is
// therefore the smallest group that the sums of a round can single out.
//
// Sites drop out, and the coordinator says which. So each rule holds for the
// fewest sites that a sum may cover, whichever these are: with d sites that may
// be missing (MayBeMissing), a cell keeps its patients where
// CensusTotals.capped_patients is kCellCap * d more.
//
// Everywhere `totals` has the study's shape, as DecodeCensus and SumCensus
// (common/aggregation/statistics_vector.h) return it; [tracks] is in the order
// of StudyTracks, [tracks * classes] is track-major. All functions are pure.
#ifndef HILUM_COMMON_CONFIG_COHORT_RULES_H_
#define HILUM_COMMON_CONFIG_COHORT_RULES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/policy.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// A policy's limits for a cohort, with defaults for fields that the policy
// omits.
struct PolicyLimits {
  uint32_t minimum_cell_patients = 10;
  uint32_t minimum_own_cell_patients = 0;  // 0: no limit
  uint32_t minimum_steps = 8;              // 0: the study's batch size decides
  uint32_t minimum_batch = 32;             // 0: no rule for few steps
  double largest_share = 1;                // 1: no limit
};

PolicyLimits LimitsOf(const v1::Policy& policy);

// Fewest sites that must have cases for a track, or for a class of it.
inline constexpr uint64_t kTrackSites = 3;

// Returns the threshold t of secure sums in a study of n sites: floor(2 n / 3)
// + 1, at least kTrackSites. Any two groups of t have an honest site in common
// unless a third of the sites colludes.
int SumThreshold(int sites);

// Returns the fewest sites of a sum in the study: with secure aggregation t or
// aggregation.minimum_sites, whichever is more.
int LeastSites(const v1::Study& study);

// Returns d, the number of the census' sites that a later sum may miss.
uint64_t MayBeMissing(const v1::Study& study, const v1::CensusTotals& totals);

// A site with a larger share of a track gets a warning: the sum is nearly its
// own update.
inline constexpr double kToldShare = 0.8;

// Fewest patients with the class, and without it, behind a score histogram. The
// number is the same for all sites, unlike a policy's minimum_cell_patients.
inline constexpr uint32_t kHistogramPatients = 10;

// Checks that each cell has no training patient or, without any d of the sites,
// at least `minimum_patients`. A minimum of 1 checks nothing.
// FAILED_PRECONDITION names the first cell with fewer, and what to do.
absl::Status CheckCells(const v1::Study& study, const v1::CensusTotals& totals,
                        uint32_t minimum_patients);

// Checks the same for one site's own arms (policy.minimum_own_cell_patients).
absl::Status CheckOwnCells(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& own,
    uint32_t minimum_patients);

// Returns which tracks are trained, [tracks]: with secure aggregation the
// tracks for which kTrackSites + d sites have cases, else all.
std::vector<bool> ActiveTracks(const v1::Study& study,
                               const v1::CensusTotals& totals);

// A class of an active track for which fewer than kTrackSites sites have cases.
struct ThinClass {
  size_t track;
  int label;
  uint64_t sites;  // at least 1
};

// Returns the thin classes of a study with secure aggregation, by track and
// class; none for other studies. Officers should know of them: the class's part
// of the track's sum comes from so few sites.
std::vector<ThinClass> ThinClasses(const v1::Study& study,
                                   const v1::CensusTotals& totals);
// Describes a thin class for a log: class, track and number of sites.
std::string DescribeThinClass(const v1::Study& study, const ThinClass& thin);

// Checks that the site with the arms `own` has at most `largest_share`
// (kToldShare, policy.largest_share) of the cohort's training cases in each
// active track. FAILED_PRECONDITION names the first track with a larger share,
// and that share.
absl::Status CheckDominance(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& own,
    const v1::CensusTotals& totals, double largest_share);

// Returns the cohort's training cases N of each track, [tracks]; 0 for an
// inactive track, to which no site contributes.
std::vector<uint64_t> TrackExamples(const v1::Study& study,
                                    const v1::CensusTotals& totals);

// Returns the weights n / (K n_c) over each track's n training cases in K
// classes, [tracks * classes]; 0 for a class without cases and for inactive
// tracks.
std::vector<double> ClassWeights(const v1::Study& study,
                                 const v1::CensusTotals& totals);

// Returns the cohort's cases that each track holds out and is scored on,
// [tracks]; 0 for a final track and for an inactive one, which is not
// evaluated. Where the evaluation leaves out cases that the starting weights
// learned from (ExcludesSeen), they do not count.
std::vector<uint64_t> HeldOut(const v1::Study& study,
                              const v1::CensusTotals& totals);

// Returns which score histograms may be sent, [tracks * classes]: a class's in
// each active track that holds out a fold with kHistogramPatients patients of
// the class, and as many of another class, without any d of the sites. "Another
// class" is the one with most patients, since a patient may be in several
// classes. Patients are the census' patients; those kept for validation do not
// count, nor do those whose cases the evaluation leaves out (ExcludesSeen). No
// histogram in a study of segmentation. In a study of one site, one patient of
// each is enough.
std::vector<bool> HistogramsShown(
    const v1::Study& study, const v1::CensusTotals& totals,
    uint32_t minimum_patients = kHistogramPatients);

// Fewest patients of each fold behind an arm's validation losses. The number is
// the same for all sites, so that all of them send the same tracks' losses.
inline constexpr uint32_t kValidationPatients = 10;

// Returns which tracks are validated, [tracks]; none where the study does not
// validate. Track k's validation loss is of the patients of all folds but k, so
// the losses of an arm's tracks together give the loss of each single fold,
// also where one track sends none. Hence an arm's tracks are validated where
// each fold of the arm has no validation patient or, without any d of the
// sites, kValidationPatients; else none of them is. A track that no site trains
// is not validated. In a study of one site, one patient is enough.
std::vector<bool> ValidatedTracks(const v1::Study& study,
                                  const v1::CensusTotals& totals);

// Returns a sentence for each arm without validation, for logs: it names the
// arm and its first fold of too few patients, and says what follows. Empty
// where all arms are validated, or the study does not validate.
std::vector<std::string> DescribeUnvalidatedArms(
    const v1::Study& study, const v1::CensusTotals& totals);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_COHORT_RULES_H_
