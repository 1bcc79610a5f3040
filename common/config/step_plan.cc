// SPDX-License-Identifier: Apache-2.0
#include "common/config/step_plan.h"

#include <algorithm>
#include <cmath>

#include "common/config/cohort_rules.h"
#include "common/config/study.h"

namespace hilum {
namespace {

uint64_t CeilDivided(uint64_t a, uint64_t b) { return a / b + (a % b > 0); }

// Returns the cases that are not kept for validation, as expected.
uint64_t TrainedOf(const v1::Study& study, uint64_t cases) {
  const double kept = 1 - study.training().validation().share();
  return static_cast<uint64_t>(std::ceil(static_cast<double>(cases) * kept));
}

// Returns the sites with cases for a track, at least 1.
uint64_t SitesOf(const v1::CensusTotals& totals, size_t track) {
  const auto t = static_cast<int>(track);
  // Totals of studies before protocol 6 do not count sites by track.
  const uint64_t sites =
      t < totals.track_sites_size()
          ? totals.track_sites(t)
          : static_cast<uint64_t>(std::max(totals.sites_size(), 0));
  return std::max<uint64_t>(sites, 1);
}

}  // namespace

bool HasLocalSteps(const v1::Study& study) {
  return study.training().local_steps() > 0;
}

uint64_t StepsOfCohortEpoch(const v1::Study& study, uint64_t total_examples) {
  const uint64_t batch = std::max(study.training().batch_size(), 1u);
  return std::max<uint64_t>(
      CeilDivided(TrainedOf(study, total_examples), batch), 1);
}

CasePart PartOfStep(uint64_t cases, uint64_t step, uint64_t steps) {
  const uint64_t first = cases * step / steps;
  const uint64_t end = cases * (step + 1) / steps;
  return {first, std::max<uint64_t>(end - first, 1)};
}

std::vector<uint64_t> MostTrained(const v1::Study& study,
                                  const v1::CensusTotals& totals) {
  std::vector<uint64_t> most = TrackExamples(study, totals);
  if (!HasLocalSteps(study)) return most;
  for (size_t t = 0; t < most.size(); ++t) {
    const uint64_t part = most[t] / StepsOfCohortEpoch(study, most[t]);
    most[t] = std::min(
        most[t], study.training().local_steps() * (part + SitesOf(totals, t)));
  }
  return most;
}

double NormalizedSteps(const v1::Optimizer& optimizer, uint64_t steps) {
  const bool sgd = optimizer.kind() == v1::Optimizer::KIND_SGD;
  const double momentum = sgd ? optimizer.momentum() : 0;
  if (momentum == 0) return static_cast<double>(std::max<uint64_t>(steps, 1));
  // A gradient of 1 in each of n steps adds up to the sum of (1 - m^i) /
  // (1 - m) for i = 1 .. n. The power by squaring has the same bits everywhere.
  const uint64_t n = std::max<uint64_t>(steps, 1);
  double power = 1, square = momentum;
  for (uint64_t rest = n; rest > 0; rest /= 2) {
    if (rest % 2 == 1) power *= square;
    square *= square;
  }
  return (static_cast<double>(n) - momentum * (1 - power) / (1 - momentum)) /
         (1 - momentum);
}

std::vector<double> UpdateFactors(const v1::Study& study,
                                  const v1::CensusTotals& totals) {
  const std::vector<uint64_t> examples = TrackExamples(study, totals);
  std::vector<double> factors(examples.size(), 1);
  if (study.aggregation().normalization() !=
      v1::Aggregation::NORMALIZATION_FEDNOVA) {
    return factors;
  }
  const v1::Training& training = study.training();
  const uint64_t batch = std::max(training.batch_size(), 1u);
  for (size_t t = 0; t < examples.size(); ++t) {
    const uint64_t cases =
        CeilDivided(TrainedOf(study, examples[t]), SitesOf(totals, t));
    factors[t] =
        NormalizedSteps(training.optimizer(),
                        training.local_epochs() * CeilDivided(cases, batch));
  }
  return factors;
}

}  // namespace hilum
