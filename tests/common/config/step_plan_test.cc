// SPDX-License-Identifier: Apache-2.0
#include "common/config/step_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/config/study.h"

namespace hilum {
namespace {

using testing::Each;
using testing::ElementsAre;

// One arm, two folds without a final track, two classes, three sites.
v1::Study StudyOf(uint32_t local_steps, uint32_t batch_size) {
  v1::Study study;
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const char* site : {"a", "b", "c"}) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_cross_validation()->set_skip_final_track(true);
  if (local_steps > 0) study.mutable_training()->set_local_steps(local_steps);
  study.mutable_training()->set_batch_size(batch_size);
  FillStudyDefaults(study);
  return study;
}

// `cases` training cases of each track.
v1::CensusTotals TotalsOf(uint64_t cases) {
  v1::CensusTotals totals;
  for (const char* site : {"a", "b", "c"}) totals.add_sites(site);
  v1::ArmCensus& arm = *totals.add_arms();
  for (uint64_t n : {cases - 5, uint64_t{5}, cases - 5, uint64_t{5}}) {
    arm.add_fold_class_counts(n);
    arm.add_fold_class_patients(n);
  }
  totals.mutable_track_sites()->Resize(2, 3);
  totals.mutable_track_class_sites()->Resize(4, 3);
  return totals;
}

TEST(StepPlanTest, AnEpochHasAsManyStepsAsTheCohortHasBatches) {
  const v1::Study study = StudyOf(1, 64);
  EXPECT_EQ(StepsOfCohortEpoch(study, 0), 1u);
  EXPECT_EQ(StepsOfCohortEpoch(study, 64), 1u);
  EXPECT_EQ(StepsOfCohortEpoch(study, 65), 2u);
  EXPECT_EQ(StepsOfCohortEpoch(study, 800), 13u);
  v1::Study validated = study;
  validated.mutable_training()->mutable_validation()->set_share(0.2);
  EXPECT_EQ(StepsOfCohortEpoch(validated, 800), 10u);
}

TEST(StepPlanTest, EachCaseIsInOnePartAndPartsDifferByOne) {
  for (const uint64_t cases : {13u, 14u, 100u, 677u, 5000u}) {
    uint64_t next = 0;
    for (uint64_t step = 0; step < 13; ++step) {
      const CasePart part = PartOfStep(cases, step, 13);
      EXPECT_EQ(part.first, next);
      EXPECT_GE(part.size, cases / 13);
      EXPECT_LE(part.size, cases / 13 + 1);
      next += part.size;
    }
    EXPECT_EQ(next, cases);
  }
}

TEST(StepPlanTest, SiteWithFewerCasesThanStepsIsInEveryStep) {
  for (uint64_t cases = 1; cases < 13; ++cases) {
    for (uint64_t step = 0; step < 13; ++step) {
      const CasePart part = PartOfStep(cases, step, 13);
      EXPECT_EQ(part.size, 1u);
      EXPECT_LT(part.first, cases);
    }
  }
}

// Whatever the sites' sizes, no round has more cases than MostTrained.
TEST(StepPlanTest, MostTrainedBoundsEveryRound) {
  for (const uint32_t k : {1u, 4u, 30u}) {
    const v1::Study study = StudyOf(k, 64);
    const uint64_t steps = StepsOfCohortEpoch(study, 800);
    const uint64_t most = MostTrained(study, TotalsOf(800))[0];
    EXPECT_LE(most, 800u);
    for (const uint64_t small : {1u, 3u, 50u, 199u}) {
      for (uint64_t round = 0; round < 40; ++round) {
        uint64_t all = 0;
        for (const uint64_t cases : {small, 200u - small, uint64_t{600}}) {
          uint64_t taken = 0;
          for (uint64_t i = 0; i < k; ++i) {
            taken += PartOfStep(cases, (round * k + i) % steps, steps).size;
          }
          all += std::min(taken, cases);
        }
        EXPECT_LE(all, most) << k << " " << small;
      }
    }
  }
  EXPECT_EQ(MostTrained(StudyOf(1, 64), TotalsOf(800))[0], 64u);  // 61 + 3
  EXPECT_THAT(MostTrained(StudyOf(0, 64), TotalsOf(800)), Each(800u));
}

// The sum of what each step's gradient of 1 adds to the weights.
TEST(StepPlanTest, NormalizedStepsAreFedNovasVectorNorm) {
  v1::Optimizer optimizer;
  optimizer.set_kind(v1::Optimizer::KIND_ADAMW);
  EXPECT_EQ(NormalizedSteps(optimizer, 7), 7);
  optimizer.set_kind(v1::Optimizer::KIND_SGD);
  EXPECT_EQ(NormalizedSteps(optimizer, 7), 7);
  optimizer.set_momentum(0.9);
  for (const int t : {1, 2, 10, 250}) {
    // The paper's closed form.
    const double m = 0.9;
    EXPECT_NEAR(NormalizedSteps(optimizer, static_cast<uint64_t>(t)),
                (t - m * (1 - std::pow(m, t)) / (1 - m)) / (1 - m), 1e-9 * t);
  }
  EXPECT_EQ(NormalizedSteps(optimizer, 0), 1);
}

TEST(StepPlanTest, FactorIsThatOfTheMeanSiteAndOnlyWithFedNova) {
  v1::Study study = StudyOf(0, 16);
  study.mutable_training()->set_local_epochs(2);
  EXPECT_THAT(UpdateFactors(study, TotalsOf(300)), ElementsAre(1, 1));
  study.mutable_aggregation()->set_normalization(
      v1::Aggregation::NORMALIZATION_FEDNOVA);
  study.mutable_training()->mutable_optimizer()->set_momentum(0);
  // 100 cases a site are 7 batches, in each of 2 epochs.
  EXPECT_THAT(UpdateFactors(study, TotalsOf(300)), ElementsAre(14, 14));
}

// Two sites pull to optima -1 and 1, on quadratics of equal curvature, with
// equally many cases but 1 and 9 steps. FedAvg ends near the site of more
// steps; FedNova at the true minimum, 0. Source: the paper, section 3.
TEST(StepPlanTest, FedNovaEndsAtTheTrueMinimumWhereStepsDiffer) {
  constexpr double kRate = 0.01;
  v1::Optimizer optimizer;
  optimizer.set_kind(v1::Optimizer::KIND_SGD);
  const auto train = [&](double w, double optimum, int steps) {
    double delta = 0;
    for (int i = 0; i < steps; ++i) delta -= kRate * (w + delta - optimum);
    return delta;
  };
  double averaged = 0.5, normalized = 0.5;
  for (int round = 0; round < 2000; ++round) {
    averaged += (train(averaged, -1, 1) + train(averaged, 1, 9)) / 2;
    normalized += 5 *
                  (train(normalized, -1, 1) / NormalizedSteps(optimizer, 1) +
                   train(normalized, 1, 9) / NormalizedSteps(optimizer, 9)) /
                  2;
  }
  EXPECT_GT(averaged, 0.75);
  // Exact but for the drift of nine steps, of the order of the rate.
  EXPECT_NEAR(normalized, 0, 0.03);
}

}  // namespace
}  // namespace hilum
