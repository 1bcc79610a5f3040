// SPDX-License-Identifier: Apache-2.0
// What a cohort's census must be like before anybody trains on it, so that no
// sum singles out a patient or a site; and what each round's vectors are
// weighed with. Each site works all of it out from the census that it checked
// itself, and the coordinator with the same functions: nothing of it is told.
//
// What two tracks of an arm differ by is one fold's part of the sum, and the
// rows of a classifier's head split it by class: a cell (arm, fold, class) is
// the smallest group that the sums of a round tell apart.
//
// Sites drop out, and the coordinator says which. So each rule holds for the
// fewest sites that a sum may be over, whichever these are: with d sites that
// may be missing (MayBeMissing), a cell keeps its patients where
// CensusTotals.capped_patients is kCellCap * d more.
//
// Everywhere `totals` is of the study's shape, as DecodeCensus and SumCensus
// (common/aggregation/statistics_vector.h) make it; [tracks] is in the order of
// StudyTracks, [tracks * classes] is track-major. All functions are pure.
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

// What a policy asks of a cohort, with the defaults of what it does not say.
struct PolicyLimits {
  uint32_t minimum_cell_patients = 10;
  uint32_t minimum_own_cell_patients = 0;  // 0: not asked
  uint32_t minimum_steps = 8;              // 0: as the study's batch size says
  double largest_share = 1;                // 1: not asked
};

PolicyLimits LimitsOf(const v1::Policy& policy);

// Fewest sites whose cases make a track, or a class of one.
inline constexpr uint64_t kTrackSites = 3;

// Returns the threshold t of secure sums in a study of n sites: floor(2 n / 3)
// + 1, at least kTrackSites. Any two groups of t have an honest site in common
// unless a third of the sites colludes.
int SumThreshold(int sites);

// Returns the fewest sites that a sum of the study is over: with secure
// aggregation t or aggregation.minimum_sites, whichever is more.
int LeastSites(const v1::Study& study);

// Returns d, how many of the census' sites a later sum may be without.
uint64_t MayBeMissing(const v1::Study& study, const v1::CensusTotals& totals);

// A site with a larger share of a track is told: the sum is nearly its own
// part.
inline constexpr double kToldShare = 0.8;

// Fewest patients with the class, and without, behind a score histogram. The
// same for all sites, as a policy's minimum_cell_patients need not be.
inline constexpr uint32_t kHistogramPatients = 10;

// Checks that each cell has no training patient or, without any d of the sites,
// at least so many. A minimum of 1 asks nothing. FAILED_PRECONDITION names the
// first cell that has fewer, and what to do.
absl::Status CheckCells(const v1::Study& study, const v1::CensusTotals& totals,
                        uint32_t minimum_patients);

// Checks the same of one site's own arms (policy.minimum_own_cell_patients).
absl::Status CheckOwnCells(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& own,
    uint32_t minimum_patients);

// Returns which tracks are trained, [tracks]: with secure aggregation those for
// which kTrackSites + d sites have cases, else all.
std::vector<bool> ActiveTracks(const v1::Study& study,
                               const v1::CensusTotals& totals);

// A class of an active track for which fewer than kTrackSites sites have cases.
struct ThinClass {
  size_t track;
  int label;
  uint64_t sites;  // at least 1
};

// Returns those of a study with secure aggregation, by track and class; none of
// another. Officers should know of them: the class's part of the track's sum is
// that of so few sites.
std::vector<ThinClass> ThinClasses(const v1::Study& study,
                                   const v1::CensusTotals& totals);
// Says one for a log: class, track and number of sites.
std::string DescribeThinClass(const v1::Study& study, const ThinClass& thin);

// Checks that of no active track the site with the arms `own` has more than
// `largest_share` (kToldShare, policy.largest_share) of the cohort's training
// cases. FAILED_PRECONDITION names the first track where it has, with the
// share.
absl::Status CheckDominance(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& own,
    const v1::CensusTotals& totals, double largest_share);

// Returns the cohort's training cases N of each track, [tracks]; 0 of an
// inactive one, to which nobody gives anything.
std::vector<uint64_t> TrackExamples(const v1::Study& study,
                                    const v1::CensusTotals& totals);

// Returns the weights n / (K n_c) over each track's n training cases in K
// classes, [tracks * classes]; 0 of a class nobody has and of inactive tracks.
std::vector<double> ClassWeights(const v1::Study& study,
                                 const v1::CensusTotals& totals);

// Returns the cohort's held-out cases of each track, [tracks]; 0 of a final
// track and of an inactive one, which is not evaluated.
std::vector<uint64_t> HeldOut(const v1::Study& study,
                              const v1::CensusTotals& totals);

// Returns whose score histograms may be sent, [tracks * classes]: those of
// active tracks that hold out a fold with so many patients of the class, and so
// many of another class, without any d of the sites. Of the other classes the
// one with most patients counts, since a patient may be in several; patients
// are those of the census, without those kept for validation. None in a study
// of segmentation. In a study of one site one patient of each is enough.
std::vector<bool> HistogramsShown(
    const v1::Study& study, const v1::CensusTotals& totals,
    uint32_t minimum_patients = kHistogramPatients);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_COHORT_RULES_H_
