// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/statistics_vector.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/base/rng.h"
#include "common/config/census.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Census = std::map<SiteId, v1::SubmitCensusRequest>;
using Evaluations = std::map<SiteId, v1::SubmitEvaluationRequest>;

constexpr uint32_t kFolds = 2;
constexpr int kClasses = 3;
constexpr int kBins = 16;
constexpr size_t kCells = kFolds * kClasses;
// Of an arm in a census: cells, without_mask; grays, sides, masked, lung_share.
constexpr size_t kArmWords = kCells + 1 + 2 * 32 + 6 + 1 + 2;

// Tracks 0, 1, 3 and 4 hold cases out; 2 and 5 are final.
v1::Study SomeStudy() {
  v1::Study study;
  for (const char* label : {"a", "b", "c"}) study.add_classes(label);
  study.add_arms(v1::ARM_SEGMENTED);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(kFolds);
  study.mutable_evaluation()->set_score_bins(kBins);
  return study;
}

v1::SubmitCensusRequest SomeCensus(Rng& rng) {
  v1::SubmitCensusRequest census;
  for (int arm = 0; arm < 2; ++arm) {
    v1::ArmCensus* counts = census.add_arms();
    for (uint32_t cell = 0; cell < kFolds * kClasses; ++cell) {
      counts->add_fold_class_counts(rng.Below(50));
    }
    counts->set_without_mask(rng.Below(10));
    FillFingerprint(*counts, static_cast<int>(rng.Below(32)));
    counts->mutable_fingerprint()->set_grays(5, rng.Below(100));
  }
  for (int c = 0; c < kClasses; ++c) census.add_rejected_masks(rng.Below(9));
  census.set_rows(rng.Below(500));
  census.set_rejected_rows(rng.Below(20));
  return census;
}

// Scores each of `cases` [kClasses], all of one truth to one class and bin.
v1::TrackEvaluation Scored(uint32_t track, const std::vector<uint64_t>& cases,
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

// Of the very cases that the census has.
v1::SubmitEvaluationRequest EvaluationOf(const v1::SubmitCensusRequest& census,
                                         Rng& rng) {
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

Cohort SomeCohort(int sites) {
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

std::vector<uint32_t> CensusSums(const v1::Study& study, const Census& census) {
  std::vector<uint32_t> sums(static_cast<size_t>(CensusVectorSize(study)));
  for (const auto& [site, own] : census) {
    auto words = EncodeCensus(study, own);
    EXPECT_TRUE(words.ok()) << words.status();
    EXPECT_EQ(words->size(), sums.size());
    AddWords(*words, absl::MakeSpan(sums));
  }
  return sums;
}

std::vector<uint32_t> EvaluationSums(const v1::Study& study,
                                     const std::vector<uint64_t>& held_out,
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

TEST(StatisticsVectorTest, SumOfCensusesIsThatOfThePlainOnes) {
  const v1::Study study = SomeStudy();
  const Cohort cohort = SomeCohort(5);
  auto totals =
      DecodeCensus(study, cohort.sites, CensusSums(study, cohort.census));
  ASSERT_TRUE(totals.ok()) << totals.status();
  EXPECT_EQ(totals->SerializeAsString(),
            SumCensus(study, cohort.census).SerializeAsString());
  EXPECT_THAT(totals->sites(),
              ElementsAre("site-0", "site-1", "site-2", "site-3", "site-4"));
  uint64_t cell = 0, without_mask = 0, rows = 0, rejected = 0, masks = 0,
           gray = 0;
  for (const auto& [site, census] : cohort.census) {
    cell += census.arms(1).fold_class_counts(5);
    without_mask += census.arms(0).without_mask();
    rows += census.rows();
    rejected += census.rejected_rows();
    masks += census.rejected_masks(2);
    gray += census.arms(1).fingerprint().grays(5);
  }
  EXPECT_EQ(totals->arms(1).fold_class_counts(5), cell);
  EXPECT_EQ(totals->arms(0).without_mask(), without_mask);
  EXPECT_EQ(totals->rows(), rows);
  EXPECT_EQ(totals->rejected_rows(), rejected);
  EXPECT_EQ(totals->rejected_masks(2), masks);
  EXPECT_EQ(totals->arms(1).fingerprint().grays(5), gray);
}

TEST(StatisticsVectorTest, SiteWhoseCensusIsNotPublishedIsNotInThePlainSum) {
  const v1::Study study = SomeStudy();
  Cohort cohort = SomeCohort(2);
  const v1::CensusTotals both = SumCensus(study, cohort.census);
  cohort.census[SiteId("silent")].set_rows(100);
  EXPECT_EQ(SumCensus(study, cohort.census).SerializeAsString(),
            both.SerializeAsString());
  // Nothing known is a census of no cases, of the study's shape.
  EXPECT_THAT(HeldOutExamples(study, SumCensus(study, {})),
              ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(StatisticsVectorTest, CensusOfAnotherShapeOrOfTooManyRowsIsNotEncoded) {
  const v1::Study study = SomeStudy();
  using Change = std::function<void(v1::SubmitCensusRequest&)>;
  const Change changes[] = {
      [](auto& c) { c.mutable_arms()->RemoveLast(); },
      [](auto& c) { c.mutable_arms(0)->add_fold_class_counts(1); },
      [](auto& c) { c.mutable_arms(0)->set_fold_class_counts(0, 1 << 22); },
      [](auto& c) { c.mutable_arms(0)->set_without_mask((1 << 22) + 1); },
      [](auto& c) { c.mutable_arms(0)->clear_fingerprint(); },
      [](auto& c) { c.mutable_arms(1)->mutable_fingerprint()->add_grays(0); },
      [](auto& c) {
        c.mutable_arms(1)->mutable_fingerprint()->set_masked(999);
      },
      [](auto& c) { c.set_rejected_masks(1, (1 << 22) + 1); },
      [](auto& c) { c.add_rejected_masks(0); },
      [](auto& c) { c.set_rows((1 << 22) + 1); },
      [](auto& c) { c.set_rejected_rows(~uint64_t{0}); }};
  for (const Change& change : changes) {
    v1::SubmitCensusRequest census = SomeCohort(1).census.begin()->second;
    change(census);
    EXPECT_EQ(EncodeCensus(study, census).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

// The most that a site may have, everywhere.
v1::SubmitCensusRequest LargestCensus() {
  v1::SubmitCensusRequest census;
  for (int arm = 0; arm < 2; ++arm) {
    v1::ArmCensus* counts = census.add_arms();
    counts->mutable_fold_class_counts()->Resize(kFolds * kClasses, 0);
    counts->set_fold_class_counts(1, kMaxArmCases);
    counts->set_without_mask(2 * kMaxArmCases);
    FillFingerprint(*counts, 31);
    // All that is lung, and all that rounding can add, in low parts of all
    // bits.
    v1::Fingerprint& print = *counts->mutable_fingerprint();
    print.set_lung_share(kMaxArmCases * kFingerprintShare);
    print.set_grays(31, kMaxArmCases * kFingerprintShare - 1);
    print.set_grays(0, kMaxArmCases * kGrayRounding + 1);
    print.set_grays(1, 0xffff);
    print.set_grays(0, print.grays(0) - 0xffff);
  }
  census.mutable_rejected_masks()->Resize(kClasses, 2 * kMaxArmCases);
  census.set_rows(2 * kMaxArmCases);
  census.set_rejected_rows(2 * kMaxArmCases);
  return census;
}

TEST(StatisticsVectorTest, SumsOfTheMostAndLargestSitesDoNotWrap) {
  const v1::Study study = SomeStudy();
  Rng rng(4, "largest");
  Cohort cohort;
  for (int s = 0; s < kMaxSites; ++s) {
    const SiteId site(absl::StrCat("site-", s));
    cohort.sites.insert(site);
    cohort.census[site] = LargestCensus();
  }
  v1::SubmitEvaluationRequest largest = EvaluationOf(LargestCensus(), rng);
  for (v1::TrackEvaluation& track : *largest.mutable_tracks()) {
    track.set_loss_sum(1e300);  // clamped
  }
  for (const SiteId& site : cohort.sites) cohort.evaluations[site] = largest;

  auto census =
      DecodeCensus(study, cohort.sites, CensusSums(study, cohort.census));
  ASSERT_TRUE(census.ok()) << census.status();
  EXPECT_EQ(census->SerializeAsString(),
            SumCensus(study, cohort.census).SerializeAsString());
  EXPECT_EQ(census->rows(), uint64_t{kMaxSites} << 22);
  EXPECT_EQ(census->arms(1).fingerprint().lung_share(),
            uint64_t{kMaxSites} << 33);
  EXPECT_EQ(census->arms(1).fingerprint().grays(31),
            uint64_t{kMaxSites} * ((uint64_t{1} << 33) - 1));

  const std::vector<uint64_t> held_out = HeldOutExamples(study, *census);
  auto evaluation =
      DecodeEvaluation(study, held_out, cohort.sites,
                       EvaluationSums(study, held_out, cohort.evaluations));
  ASSERT_TRUE(evaluation.ok()) << evaluation.status();
  const double cases = kMaxSites * static_cast<double>(kMaxArmCases);
  EXPECT_NEAR(evaluation->tracks(0).loss_sum(), kMaxLoss * cases,
              kMaxSites * 0x1p-25 * cases);
  v1::EvaluationTotals plain = SumEvaluations(study, cohort.evaluations);
  for (int t = 0; t < plain.tracks_size(); ++t) {
    plain.mutable_tracks(t)->set_loss_sum(evaluation->tracks(t).loss_sum());
  }
  EXPECT_EQ(evaluation->SerializeAsString(), plain.SerializeAsString());
}

TEST(StatisticsVectorTest, CensusThatNoSuchCohortCanHaveIsAborted) {
  const v1::Study study = SomeStudy();
  const std::set<SiteId> sites = {SiteId("a"), SiteId("b")};
  const std::vector<uint32_t> most = CensusSums(
      study, {{SiteId("a"), LargestCensus()}, {SiteId("b"), LargestCensus()}});
  EXPECT_TRUE(DecodeCensus(study, sites, most).ok());
  // Of the first arm: a cell, without_mask, low and high part of a gray, a
  // side, masked, low and high part of lung_share. Then rows, rejected_rows,
  // the last of rejected_masks.
  const size_t arm = kArmWords, end = 2 * arm;
  for (size_t word : {size_t{2}, size_t{6}, 7 + 2 * 31 + size_t{0},
                      7 + 2 * 31 + size_t{1}, size_t{7 + 64}, size_t{7 + 70},
                      size_t{7 + 71}, size_t{7 + 72}, end, end + 1, end + 4}) {
    std::vector<uint32_t> more = most;
    ++more[word];
    EXPECT_EQ(DecodeCensus(study, sites, more).status().code(),
              absl::StatusCode::kAborted)
        << word;
  }
  EXPECT_FALSE(DecodeCensus(study, {SiteId("a")}, most).ok());
  for (size_t size : {size_t{0}, end + 4, end + 6}) {
    EXPECT_EQ(
        DecodeCensus(study, sites, std::vector<uint32_t>(size)).status().code(),
        absl::StatusCode::kInvalidArgument);
  }
}

// A number would have two writings otherwise, and not be put together wrong but
// be damaged unseen.
TEST(StatisticsVectorTest, LowPartOverItsSixteenBitsIsAborted) {
  const v1::Study study = SomeStudy();
  const Cohort cohort = SomeCohort(1);
  std::vector<uint32_t> sums = CensusSums(study, cohort.census);
  uint32_t* gray = nullptr;
  for (size_t i = kCells + 1; i < kCells + 1 + 64; i += 2) {
    if (sums[i + 1] > 0) gray = &sums[i];
  }
  ASSERT_NE(gray, nullptr);
  ASSERT_TRUE(DecodeCensus(study, cohort.sites, sums).ok());
  gray[0] += 1 << 16;
  --gray[1];
  EXPECT_EQ(DecodeCensus(study, cohort.sites, sums).status().code(),
            absl::StatusCode::kAborted);
}

// Of before protocol 5, as the database may have them.
TEST(StatisticsVectorTest, CensusWithoutFingerprintsAddsNoneToThePlainSum) {
  const v1::Study study = SomeStudy();
  Cohort cohort = SomeCohort(2);
  for (auto& [site, census] : cohort.census) {
    census.clear_rejected_masks();
    for (auto& arm : *census.mutable_arms()) arm.clear_fingerprint();
  }
  const v1::CensusTotals totals = SumCensus(study, cohort.census);
  EXPECT_EQ(totals.sites_size(), 2);
  EXPECT_EQ(FingerprintCases(totals.arms(0).fingerprint()), 0u);
  EXPECT_THAT(totals.rejected_masks(), ElementsAre(0, 0, 0));
}

TEST(StatisticsVectorTest, ExamplesOfTracksAreThoseOfTheCensus) {
  v1::CensusTotals census;
  for (uint64_t arm = 0; arm < 2; ++arm) {
    v1::ArmCensus* counts = census.add_arms();
    for (uint64_t count : {1, 2, 4, 8, 16, 32}) {
      counts->add_fold_class_counts(count << (6 * arm));
    }
  }
  EXPECT_THAT(HeldOutExamples(SomeStudy(), census),
              ElementsAre(7, 56, 0, 7 << 6, 56 << 6, 0));
  EXPECT_THAT(TrainingExamples(SomeStudy(), census),
              ElementsAre(56, 7, 63, 56 << 6, 7 << 6, 63 << 6));
}

TEST(StatisticsVectorTest, SumOfEvaluationsIsThatOfThePlainOnes) {
  const v1::Study study = SomeStudy();
  Cohort cohort = SomeCohort(7);
  const std::vector<uint64_t> held_out =
      HeldOutExamples(study, SumCensus(study, cohort.census));
  // Some are in the census and give no evaluation.
  for (const char* gone : {"site-1", "site-4"}) {
    cohort.sites.erase(SiteId(gone));
    cohort.evaluations.erase(SiteId(gone));
  }
  auto totals =
      DecodeEvaluation(study, held_out, cohort.sites,
                       EvaluationSums(study, held_out, cohort.evaluations));
  ASSERT_TRUE(totals.ok()) << totals.status();
  v1::EvaluationTotals plain = SumEvaluations(study, cohort.evaluations);
  ASSERT_EQ(totals->tracks_size(), 4);
  for (int t = 0; t < 4; ++t) {
    const double n = static_cast<double>(held_out[plain.tracks(t).track()]);
    EXPECT_GT(plain.tracks(t).loss_sum(), 0);
    EXPECT_NEAR(totals->tracks(t).loss_sum(), plain.tracks(t).loss_sum(),
                5 * 0x1p-25 * n);
    plain.mutable_tracks(t)->set_loss_sum(totals->tracks(t).loss_sum());
  }
  EXPECT_EQ(totals->SerializeAsString(), plain.SerializeAsString());
  uint64_t right = 0, positives = 0;
  for (const auto& [site, evaluation] : cohort.evaluations) {
    right += evaluation.tracks(2).confusion(4);
    positives += evaluation.tracks(3).classes(1).positives(7);
  }
  EXPECT_EQ(totals->tracks(2).confusion(4), right);
  EXPECT_EQ(totals->tracks(3).classes(1).positives(7), positives);
}

class OneEvaluationTest : public ::testing::Test {
 protected:
  OneEvaluationTest()
      : cohort_(SomeCohort(1)),
        census_(SumCensus(study_, cohort_.census)),
        held_out_(HeldOutExamples(study_, census_)),
        evaluation_(cohort_.evaluations.begin()->second),
        sums_(EvaluationSums(study_, held_out_, cohort_.evaluations)) {}

  absl::Status Encode() const {
    return EncodeEvaluation(study_, held_out_, evaluation_.tracks()).status();
  }
  absl::Status Decode() const {
    return DecodeEvaluation(study_, held_out_, cohort_.sites, sums_).status();
  }
  static constexpr size_t kTrackWords =
      kClasses * kClasses + 2 * kClasses * kBins + 1;

  const v1::Study study_ = SomeStudy();
  Cohort cohort_;
  v1::CensusTotals census_;
  std::vector<uint64_t> held_out_;
  v1::SubmitEvaluationRequest evaluation_;
  std::vector<uint32_t> sums_;
};

TEST_F(OneEvaluationTest, WhatIsNotOfTheStudyIsNotEncoded) {
  EXPECT_TRUE(Encode().ok());
  v1::TrackEvaluation& track = *evaluation_.mutable_tracks(1);
  const v1::TrackEvaluation good = track;
  for (double loss : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    track.set_loss_sum(loss);
    EXPECT_EQ(Encode().code(), absl::StatusCode::kInvalidArgument);
  }
  track = good;
  track.add_confusion(0);
  EXPECT_EQ(Encode().code(), absl::StatusCode::kInvalidArgument);
  track = good;
  track.set_confusion(0, good.confusion(0) + 1);
  EXPECT_THAT(std::string(Encode().message()), HasSubstr("disagree"));
  track = good;
  held_out_.pop_back();
  EXPECT_EQ(Encode().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(OneEvaluationTest, MoreCasesThanTheCohortHoldsOutAreNotEncoded) {
  --held_out_[4];
  EXPECT_EQ(Encode().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Encode().message()), HasSubstr("track 4"));
  // Whatever a coordinator says of the cohort, a vector comes out or an error.
  held_out_.assign(6, ~uint64_t{0});
  EXPECT_TRUE(Encode().ok());
  held_out_.assign(6, 0);
  EXPECT_FALSE(Encode().ok());
}

TEST_F(OneEvaluationTest, CasesNobodyHoldsOutAreAborted) {
  EXPECT_TRUE(Decode().ok());
  --held_out_[3];
  EXPECT_EQ(Decode().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(Decode().message()), HasSubstr("track 3"));
}

TEST_F(OneEvaluationTest, AnyWordThatIsChangedBesideTheLossIsAborted) {
  for (size_t i = 0; i < sums_.size(); ++i) {
    if (i % kTrackWords == kTrackWords - 1) continue;
    for (uint32_t change : {1u, ~uint32_t{0}, uint32_t{1} << 31}) {
      sums_[i] += change;
      EXPECT_EQ(Decode().code(), absl::StatusCode::kAborted) << i;
      sums_[i] -= change;
    }
  }
}

TEST_F(OneEvaluationTest, MeanLossOutOfItsRangeIsAborted) {
  uint32_t& loss = sums_[2 * kTrackWords - 1];
  for (uint32_t word : {~uint32_t{0}, (uint32_t{1} << 30) + 2}) {
    loss = word;
    EXPECT_EQ(Decode().code(), absl::StatusCode::kAborted);
  }
  loss = uint32_t{1} << 30;
  EXPECT_TRUE(Decode().ok());
}

class LocalizedTest : public ::testing::Test {
 protected:
  LocalizedTest() : cohort_(SomeCohort(5)) {
    study_.mutable_evaluation()->set_localization(true);
    Rng rng(6, "maps");
    for (auto& [site, evaluation] : cohort_.evaluations) {
      for (v1::TrackEvaluation& track : *evaluation.mutable_tracks()) {
        track.set_mapped(track.confusion(0) + track.confusion(4));
        const double maps = static_cast<double>(track.mapped());
        track.set_map_in_lungs_sum(maps * rng.Uniform());
        track.set_lung_share_sum(maps * rng.Uniform());
      }
    }
    held_out_ = HeldOutExamples(study_, SumCensus(study_, cohort_.census));
    sums_ = EvaluationSums(study_, held_out_, cohort_.evaluations);
  }

  v1::Study study_ = SomeStudy();
  Cohort cohort_;
  std::vector<uint64_t> held_out_;
  std::vector<uint32_t> sums_;
};

TEST_F(LocalizedTest, SumsOverMapsAreThoseOfThePlainOnes) {
  EXPECT_EQ(EvaluationVectorSize(study_),
            EvaluationVectorSize(SomeStudy()) + 4 * 3);
  const auto totals =
      DecodeEvaluation(study_, held_out_, cohort_.sites, sums_).value();
  const auto plain = SumEvaluations(study_, cohort_.evaluations);
  for (int t = 0; t < 4; ++t) {
    const auto &is = totals.tracks(t), &want = plain.tracks(t);
    EXPECT_EQ(is.mapped(), want.mapped());
    // Five sites, 750 cases at most: 5 * 2^-31 * 750.
    EXPECT_NEAR(is.map_in_lungs_sum(), want.map_in_lungs_sum(), 1.8e-6);
    EXPECT_NEAR(is.lung_share_sum(), want.lung_share_sum(), 1.8e-6);
  }
}

TEST_F(LocalizedTest, MapsThatNoCohortCanHaveAreAborted) {
  for (size_t word : {1u, 2u, 3u}) {  // of the last track
    std::vector<uint32_t> sums = sums_;
    sums[sums.size() - word] = ~uint32_t{0};
    auto totals = DecodeEvaluation(study_, held_out_, cohort_.sites, sums);
    EXPECT_EQ(totals.status().code(), absl::StatusCode::kAborted) << word;
  }
}

TEST_F(OneEvaluationTest, OtherLengthsAreRefused) {
  sums_.push_back(0);
  EXPECT_EQ(Decode().code(), absl::StatusCode::kInvalidArgument);
  sums_.resize(sums_.size() - 2);
  EXPECT_EQ(Decode().code(), absl::StatusCode::kInvalidArgument);
  sums_.push_back(0);
  held_out_.push_back(0);
  EXPECT_EQ(Decode().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
