// SPDX-License-Identifier: Apache-2.0
// A cohort of sites with a census and an evaluation each, for tests of their
// vectors.
#ifndef HILUM_TESTS_COMMON_AGGREGATION_SOME_COHORT_H_
#define HILUM_TESTS_COMMON_AGGREGATION_SOME_COHORT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/rng.h"
#include "tests/support/fingerprint.h"

namespace hilum {

using Census = std::map<SiteId, v1::SubmitCensusRequest>;
using Evaluations = std::map<SiteId, v1::SubmitEvaluationRequest>;

inline constexpr uint32_t kFolds = 2;
inline constexpr int kClasses = 3;
inline constexpr int kBins = 16;

// Tracks 0, 1, 3 and 4 hold cases out; 2 and 5 are final.
inline v1::Study SomeStudy() {
  v1::Study study;
  for (const char* label : {"a", "b", "c"}) study.add_classes(label);
  study.add_arms(v1::ARM_SEGMENTED);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(kFolds);
  study.mutable_evaluation()->set_score_bins(kBins);
  return study;
}

inline v1::SubmitCensusRequest SomeCensus(Rng& rng) {
  v1::SubmitCensusRequest census;
  for (int arm = 0; arm < 2; ++arm) {
    v1::ArmCensus* counts = census.add_arms();
    for (uint32_t cell = 0; cell < kFolds * kClasses; ++cell) {
      counts->add_fold_class_counts(rng.Below(50));
    }
    counts->set_without_mask(rng.Below(10));
    FillFingerprint(*counts, static_cast<int>(rng.Below(32)));
    counts->mutable_fingerprint()->set_grays(5, rng.Below(100));
    for (uint64_t& patients : *counts->mutable_fold_class_patients()) {
      patients = rng.Below(patients + 1);
    }
  }
  for (int c = 0; c < kClasses; ++c) census.add_rejected_masks(rng.Below(9));
  census.set_rows(rng.Below(500));
  census.set_rejected_rows(rng.Below(20));
  return census;
}

// Scores each of `cases` [kClasses]: all cases of one true class go to one
// class and bin.
inline v1::TrackEvaluation Scored(uint32_t track,
                                  const std::vector<uint64_t>& cases,
                                  Rng& rng) {
  v1::TrackEvaluation scored;
  scored.set_track(track);
  scored.mutable_confusion()->Resize(kClasses * kClasses, 0);
  for (int c = 0; c < kClasses; ++c) {
    scored.add_classes()->mutable_positives()->Resize(kBins, 0);
    scored.mutable_classes(c)->mutable_negatives()->Resize(kBins, 0);
  }
  for (int truth = 0; truth < kClasses; ++truth) {
    const uint64_t n = cases[static_cast<size_t>(truth)];
    const int guess = static_cast<int>(rng.Below(kClasses));
    scored.set_confusion(truth * kClasses + guess, n);
    for (int c = 0; c < kClasses; ++c) {
      v1::ScoreHistogram& scores = *scored.mutable_classes(c);
      auto& bins = c == truth ? *scores.mutable_positives()
                              : *scores.mutable_negatives();
      bins[static_cast<int>(rng.Below(kBins))] += static_cast<uint32_t>(n);
    }
    scored.set_loss_sum(scored.loss_sum() +
                        3 * rng.Uniform() * static_cast<double>(n));
  }
  return scored;
}

// Returns an evaluation of exactly the cases in the census.
inline v1::SubmitEvaluationRequest EvaluationOf(
    const v1::SubmitCensusRequest& census, Rng& rng) {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t track : {0u, 1u, 3u, 4u}) {
    const auto& counts =
        census.arms(static_cast<int>(track / 3)).fold_class_counts();
    const auto* cell = counts.data() + track % 3 * kClasses;
    *evaluation.add_tracks() = Scored(track, {cell[0], cell[1], cell[2]}, rng);
  }
  return evaluation;
}

struct Cohort {
  Census census;
  Evaluations evaluations;
  std::set<SiteId> sites;
};

inline Cohort SomeCohort(int sites) {
  Rng rng(3, "cohort");
  Cohort cohort;
  for (int s = 0; s < sites; ++s) {
    const SiteId site(absl::StrCat("site-", s));
    cohort.sites.insert(site);
    cohort.census[site] = SomeCensus(rng);
    cohort.evaluations[site] = EvaluationOf(cohort.census[site], rng);
  }
  return cohort;
}

inline std::vector<uint32_t> CensusSums(const v1::Study& study,
                                        const Census& census) {
  std::vector<uint32_t> sums(static_cast<size_t>(CensusVectorSize(study)));
  for (const auto& [site, own] : census) {
    auto words = EncodeCensus(study, own);
    EXPECT_TRUE(words.ok()) << words.status();
    EXPECT_EQ(words->size(), sums.size());
    AddWords(*words, absl::MakeSpan(sums));
  }
  return sums;
}

inline std::vector<uint32_t> EvaluationSums(
    const v1::Study& study, const std::vector<uint64_t>& held_out,
    const Evaluations& evaluations) {
  std::vector<uint32_t> sums(static_cast<size_t>(EvaluationVectorSize(study)));
  for (const auto& [site, own] : evaluations) {
    auto words = EncodeEvaluation(study, held_out, own.tracks());
    EXPECT_TRUE(words.ok()) << words.status();
    EXPECT_EQ(words->size(), sums.size());
    AddWords(*words, absl::MakeSpan(sums));
  }
  return sums;
}

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_AGGREGATION_SOME_COHORT_H_
