// SPDX-License-Identifier: Apache-2.0
// The optimiser steps of a round, in a study with training.local_steps; and the
// steps by which FedNova divides a site's delta in a study with local_epochs.
//
// With local_steps K, training.batch_size B is the batch of the whole cohort.
// An epoch of a track with N cases in the cohort's census is cut into
// T = ceil(N (1 - share) / B) steps, where `share` is that of validation. Each
// site cuts its own n_s cases, in its own secret order, into T parts that
// differ by at most one case: b_s is n_s / T, each case is in one part, and all
// sites make equally many steps. A round is the next K steps. With K = 1 and
// plain SGD at the sites, the sum of the deltas is -rate times the gradient of
// one batch of the union of all cases.
//
// Source: McMahan et al. 2017, section 2 (FedSGD); Woodworth et al. 2020
// (arXiv 2006.04735): minibatch SGD where sites differ much.
#ifndef HILUM_COMMON_CONFIG_STEP_PLAN_H_
#define HILUM_COMMON_CONFIG_STEP_PLAN_H_

#include <cstdint>
#include <vector>

#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns whether the study counts a round in steps and not in epochs.
bool HasLocalSteps(const v1::Study& study);

// Returns T, at least 1, for a track with N = `total_examples` cases. The study
// has local_steps.
uint64_t StepsOfCohortEpoch(const v1::Study& study, uint64_t total_examples);

// Consecutive cases of a site's order.
struct CasePart {
  uint64_t first, size;
};

// Returns the part of a site's `cases` >= 1 cases in step `step` < `steps` = T
// of an epoch. A site with fewer cases than steps gives one case to each step,
// so that it hides the other sites in every sum; its cases are then in several
// parts. cases * steps < 2^63.
CasePart PartOfStep(uint64_t cases, uint64_t step, uint64_t steps);

// Returns M, the most cases that all sites together train on in a round,
// [tracks]: min(N, K (floor(N / T) + S)) for S sites with cases, since a part
// has at most floor(n_s / T) + 1 cases. N in a study with local_epochs. The
// weights of a sum are n_s / M (common/aggregation/ring.h), where n_s counts
// each of the site's cases at most once. `totals` have the study's shape.
std::vector<uint64_t> MostTrained(const v1::Study& study,
                                  const v1::CensusTotals& totals);

// Returns a, FedNova's length of `steps` local steps: their number t, or with
// SGD of momentum m the sum over j = 1 .. t of (1 - m^j) / (1 - m). At least 1;
// 1 for 0 steps. Source: Wang et al. 2020 (arXiv 2007.07481), section 4.
double NormalizedSteps(const v1::Optimizer& optimizer, uint64_t steps);

// Returns A, the factor of each track's mean update, [tracks]: with FedNova the
// NormalizedSteps of a site with the mean number N / S of cases, else 1. The
// paper's factor is the weighted mean of the sites' own numbers, and may be
// chosen freely (section 4.1); this one is known from the census, so that no
// word more is summed. The sum over sites of n_s t_s would tell each of three
// sites how many cases the two others have.
std::vector<double> UpdateFactors(const v1::Study& study,
                                  const v1::CensusTotals& totals);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_STEP_PLAN_H_
