// SPDX-License-Identifier: Apache-2.0
// Tests censuses as vectors, and the values that follow from a census.
#include <functional>

#include "common/config/census.h"
#include "common/config/cohort_rules.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/aggregation/some_cohort.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;

constexpr size_t kCells = kFolds * kClasses;
// Words of an arm in a census: cells of cases and patients, without_mask;
// grays, sides, masked, lung_share.
constexpr size_t kArmWords = 2 * kCells + 1 + 2 * 32 + 6 + 1 + 2;
// The words behind both arms: rows, rejected_rows, three counts of cases that
// the product's networks saw or nobody compared, rejected_masks; then for each
// of six tracks the sites with cases, in all and of each class.
constexpr size_t kTrackWords = 2 * kArmWords + 5 + kClasses;
constexpr size_t kWords = kTrackWords + 6 + 6 * kClasses;

TEST(CensusVectorTest, SumOfCensusesIsThatOfThePlainOnes) {
  const v1::Study study = SomeStudy();
  const Cohort cohort = SomeCohort(5);
  auto totals =
      DecodeCensus(study, cohort.sites, CensusSums(study, cohort.census));
  ASSERT_TRUE(totals.ok()) << totals.status();
  EXPECT_EQ(totals->SerializeAsString(),
            SumCensus(study, cohort.census).SerializeAsString());
  EXPECT_THAT(totals->sites(),
              ElementsAre("site-0", "site-1", "site-2", "site-3", "site-4"));
  uint64_t cell = 0, patients = 0, without_mask = 0, rows = 0, rejected = 0,
           masks = 0, gray = 0;
  for (const auto& [site, census] : cohort.census) {
    cell += census.arms(1).fold_class_counts(5);
    patients += census.arms(1).fold_class_patients(5);
    without_mask += census.arms(0).without_mask();
    rows += census.rows();
    rejected += census.rejected_rows();
    masks += census.rejected_masks(2);
    gray += census.arms(1).fingerprint().grays(5);
  }
  EXPECT_EQ(totals->arms(1).fold_class_counts(5), cell);
  EXPECT_EQ(totals->arms(1).fold_class_patients(5), patients);
  EXPECT_EQ(totals->arms(0).without_mask(), without_mask);
  EXPECT_EQ(totals->rows(), rows);
  EXPECT_EQ(totals->rejected_rows(), rejected);
  EXPECT_EQ(totals->rejected_masks(2), masks);
  EXPECT_EQ(totals->arms(1).fingerprint().grays(5), gray);
}

// Returns the study, from weights that list images.
v1::Study ListingStudy() {
  v1::Study study = SomeStudy();
  v1::TrainedOn& set = *study.mutable_starting_weights()->add_trained_on();
  set.set_images(1);
  set.set_digests("12345678");
  return study;
}

// Returns the cohort's censuses, with seen cases in some cells.
Cohort SeeingCohort(int sites) {
  Cohort cohort = SomeCohort(sites);
  for (auto& [site, census] : cohort.census) {
    for (v1::ArmCensus& arm : *census.mutable_arms()) {
      for (size_t cell = 0; cell < kCells; ++cell) {
        const int at = static_cast<int>(cell);
        arm.add_fold_class_seen(arm.fold_class_counts(at) / 2);
        arm.add_fold_class_unseen_patients(arm.fold_class_patients(at) / 2);
      }
    }
    census.set_lungs_network_cases(5);
    census.set_orientation_network_cases(7);
    census.set_cases_not_compared(11);
  }
  return cohort;
}

TEST(CensusVectorTest, CasesThatWeightsHaveSeenAreInTheSum) {
  const v1::Study study = ListingStudy();
  const Cohort cohort = SeeingCohort(4);
  std::vector<uint32_t> sums = CensusSums(study, cohort.census);
  EXPECT_EQ(sums.size(), static_cast<size_t>(CensusVectorSize(study)));
  const auto totals = DecodeCensus(study, cohort.sites, sums);
  ASSERT_TRUE(totals.ok()) << totals.status();
  EXPECT_TRUE(CheckTotalsShape(study, *totals).ok());
  EXPECT_EQ(totals->SerializeAsString(),
            SumCensus(study, cohort.census).SerializeAsString());
  uint64_t seen = 0;
  for (const auto& [site, census] : cohort.census) {
    seen += census.arms(1).fold_class_seen(5);
  }
  EXPECT_GT(seen, 0u);
  EXPECT_EQ(totals->arms(1).fold_class_seen(5), seen);
  EXPECT_EQ(totals->lungs_network_cases(), 20u);
  EXPECT_EQ(totals->orientation_network_cases(), 28u);
  EXPECT_EQ(totals->cases_not_compared(), 44u);
  // The cells' seen cases follow the first arm's fingerprint.
  sums[kArmWords] = 1 << 20;
  EXPECT_TRUE(
      absl::IsAborted(DecodeCensus(study, cohort.sites, sums).status()));
}

TEST(CensusVectorTest, SeenCasesThatACellCannotHaveAreNotEncoded) {
  using Change = std::function<void(v1::ArmCensus&)>;
  const Change changes[] = {
      [](auto& arm) { arm.clear_fold_class_seen(); },
      [](auto& arm) { arm.add_fold_class_unseen_patients(0); },
      [](auto& arm) { arm.set_fold_class_seen(0, 1 << 20); },
      [](auto& arm) { arm.set_fold_class_unseen_patients(0, 1 << 20); }};
  for (const Change& change : changes) {
    v1::SubmitCensusRequest census = SeeingCohort(1).census.begin()->second;
    ASSERT_TRUE(EncodeCensus(ListingStudy(), census).ok());
    change(*census.mutable_arms(0));
    EXPECT_TRUE(
        absl::IsInvalidArgument(EncodeCensus(ListingStudy(), census).status()));
  }
  // A study without a list has no such counts.
  EXPECT_FALSE(
      EncodeCensus(SomeStudy(), SeeingCohort(1).census.begin()->second).ok());
}

// Returns a census with these cases only, each of another patient.
v1::SubmitCensusRequest CensusWith(int arm, uint32_t cell, uint64_t cases) {
  v1::SubmitCensusRequest census;
  for (int a = 0; a < 2; ++a) {
    v1::ArmCensus* counts = census.add_arms();
    counts->mutable_fold_class_counts()->Resize(kCells, 0);
    if (a == arm) counts->set_fold_class_counts(static_cast<int>(cell), cases);
  }
  FillFingerprints(kClasses, census);
  return census;
}

TEST(CensusVectorTest, SitesWithCasesAreCountedByTrackAndClass) {
  const v1::Study study = SomeStudy();
  // Site a has class b in fold 0, b the same class in fold 1, c class c in fold
  // 1; all in the segmented arm.
  const Census cohort = {{SiteId("a"), CensusWith(0, 1, 7)},
                         {SiteId("b"), CensusWith(0, 4, 1)},
                         {SiteId("c"), CensusWith(0, 5, 9)}};
  const auto totals =
      DecodeCensus(study, {SiteId("a"), SiteId("b"), SiteId("c")},
                   CensusSums(study, cohort));
  ASSERT_TRUE(totals.ok()) << totals.status();
  EXPECT_THAT(totals->track_sites(), ElementsAre(2, 1, 3, 0, 0, 0));
  EXPECT_THAT(totals->track_class_sites(),
              ElementsAre(0, 1, 1, 0, 1, 0, 0, 2, 1,  //
                          0, 0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(totals->SerializeAsString(),
            SumCensus(study, cohort).SerializeAsString());
}

// A site that leaves takes at most ten patients of a cell along.
TEST(CensusVectorTest, SiteCountsForTenPatientsOfACellAtMost) {
  const v1::Study study = SomeStudy();
  Census cohort = {{SiteId("a"), CensusWith(0, 1, 70)},
                   {SiteId("b"), CensusWith(0, 1, 7)},
                   {SiteId("c"), CensusWith(0, 4, 10)}};
  for (auto& [site, census] : cohort) {
    for (v1::ArmCensus& arm : *census.mutable_arms()) {
      *arm.mutable_fold_class_patients() = arm.fold_class_counts();
    }
  }
  std::vector<uint32_t> sums = CensusSums(study, cohort);
  const std::set<SiteId> sites = {SiteId("a"), SiteId("b"), SiteId("c")};
  const auto totals = DecodeCensus(study, sites, sums);
  ASSERT_TRUE(totals.ok()) << totals.status();
  EXPECT_THAT(totals->capped_patients(),
              ElementsAre(0, 17, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(totals->SerializeAsString(),
            SumCensus(study, cohort).SerializeAsString());
  // The cell has 77 patients of three sites: 10 to 30 of them count.
  const size_t cell = sums.size() - 12 + 1;
  for (const auto& [capped, good] :
       {std::pair(9u, false), std::pair(10u, true), std::pair(30u, true),
        std::pair(31u, false)}) {
    sums[cell] = capped;
    EXPECT_EQ(DecodeCensus(study, sites, sums).ok(), good) << capped;
  }
}

TEST(CensusVectorTest, ValidationPatientsTravelWhereTheStudyValidates) {
  v1::Study study = SomeStudy();
  const int64_t without = CensusVectorSize(study);
  study.mutable_training()->mutable_validation()->set_share(0.2);
  EXPECT_EQ(CensusVectorSize(study), without + 2 * 2 * 2);
  Cohort cohort = SomeCohort(3);
  uint64_t patients = 3;  // 3, 8, 13
  for (auto& [site, census] : cohort.census) {
    for (v1::ArmCensus& arm : *census.mutable_arms()) {
      arm.add_fold_validation_patients(patients);
      arm.add_fold_validation_patients(0);
    }
    patients += 5;
  }
  std::vector<uint32_t> sums = CensusSums(study, cohort.census);
  const auto totals = DecodeCensus(study, cohort.sites, sums);
  ASSERT_TRUE(totals.ok()) << totals.status();
  EXPECT_EQ(totals->SerializeAsString(),
            SumCensus(study, cohort.census).SerializeAsString());
  EXPECT_THAT(totals->arms(1).fold_validation_patients(), ElementsAre(24, 0));
  EXPECT_THAT(totals->capped_validation_patients(), ElementsAre(21, 0, 21, 0));
  for (uint32_t capped : {9u, 25u}) {
    sums.back() = 0;
    sums[sums.size() - 2] = capped;
    EXPECT_EQ(DecodeCensus(study, cohort.sites, sums).status().code(),
              absl::StatusCode::kAborted);
  }
}

TEST(CensusVectorTest, SiteWhoseCensusIsNotPublishedIsNotInThePlainSum) {
  const v1::Study study = SomeStudy();
  Cohort cohort = SomeCohort(2);
  const v1::CensusTotals both = SumCensus(study, cohort.census);
  cohort.census[SiteId("silent")].set_rows(100);
  EXPECT_EQ(SumCensus(study, cohort.census).SerializeAsString(),
            both.SerializeAsString());
  // An empty sum is a census without cases, in the study's shape.
  EXPECT_THAT(HeldOut(study, SumCensus(study, {})),
              ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(CensusVectorTest, CensusOfAnotherShapeOrOfTooManyRowsIsNotEncoded) {
  const v1::Study study = SomeStudy();
  using Change = std::function<void(v1::SubmitCensusRequest&)>;
  const Change changes[] = {
      [](auto& c) { c.mutable_arms()->RemoveLast(); },
      [](auto& c) { c.mutable_arms(0)->add_fold_class_counts(1); },
      [](auto& c) { c.mutable_arms(0)->set_fold_class_counts(0, 1 << 22); },
      [](auto& c) { c.mutable_arms(0)->add_fold_class_patients(0); },
      [](auto& c) { c.mutable_arms(0)->clear_fold_class_patients(); },
      [](auto& c) { c.mutable_arms(0)->set_fold_class_patients(0, 50); },
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

// Returns the largest allowed counts everywhere.
v1::SubmitCensusRequest LargestCensus() {
  v1::SubmitCensusRequest census;
  for (int arm = 0; arm < 2; ++arm) {
    v1::ArmCensus* counts = census.add_arms();
    counts->mutable_fold_class_counts()->Resize(kFolds * kClasses, 0);
    counts->set_fold_class_counts(1, kMaxArmCases);
    counts->set_without_mask(2 * kMaxArmCases);
    FillFingerprint(*counts, 31);
    // The largest fingerprint, with rounding, whose low parts have all bits
    // set.
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
  census.set_lungs_network_cases(2 * kMaxArmCases);
  census.set_orientation_network_cases(2 * kMaxArmCases);
  census.set_cases_not_compared(2 * kMaxArmCases);
  return census;
}

TEST(CensusVectorTest, SumsOfTheMostAndLargestSitesDoNotWrap) {
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

  const std::vector<uint64_t> held_out = HeldOut(study, *census);
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

TEST(CensusVectorTest, CensusThatNoSuchCohortCanHaveIsAborted) {
  const v1::Study study = SomeStudy();
  const std::set<SiteId> sites = {SiteId("a"), SiteId("b")};
  const std::vector<uint32_t> most = CensusSums(
      study, {{SiteId("a"), LargestCensus()}, {SiteId("b"), LargestCensus()}});
  EXPECT_TRUE(DecodeCensus(study, sites, most).ok());
  // The sums of the first arm: a cell, its patients and another cell's,
  // without_mask, low and high part of a gray, a side, masked, low and high
  // part of lung_share. Then rows, rejected_rows, three counts of cases, the
  // last of rejected_masks; the sites with cases for a track without cases, for
  // one with cases of both sites, for the final track; and the sites with cases
  // of the first track's first class.
  const size_t print = 2 * kCells + 1, end = 2 * kArmWords;
  for (size_t word : {size_t{2},
                      kCells,
                      kCells + 1,
                      2 * kCells,
                      print + 2 * 31,
                      print + 2 * 31 + 1,
                      print + 64,
                      print + 70,
                      print + 71,
                      print + 72,
                      end,
                      end + 1,
                      end + 2,
                      end + 3,
                      end + 4,
                      end + 7,
                      kTrackWords,
                      kTrackWords + 1,
                      kTrackWords + 2,
                      kTrackWords + 6}) {
    std::vector<uint32_t> more = most;
    ++more[word];
    EXPECT_EQ(DecodeCensus(study, sites, more).status().code(),
              absl::StatusCode::kAborted)
        << word;
  }
  EXPECT_FALSE(DecodeCensus(study, {SiteId("a")}, most).ok());
  for (size_t size : {size_t{0}, kWords - 1, kWords + 1}) {
    EXPECT_EQ(
        DecodeCensus(study, sites, std::vector<uint32_t>(size)).status().code(),
        absl::StatusCode::kInvalidArgument);
  }
}

// A larger low part would give one number two encodings, and damage would not
// show.
TEST(CensusVectorTest, LowPartOverItsSixteenBitsIsAborted) {
  const v1::Study study = SomeStudy();
  const Cohort cohort = SomeCohort(1);
  std::vector<uint32_t> sums = CensusSums(study, cohort.census);
  uint32_t* gray = nullptr;
  for (size_t i = 2 * kCells + 1; i < 2 * kCells + 1 + 64; i += 2) {
    if (sums[i + 1] > 0) gray = &sums[i];
  }
  ASSERT_NE(gray, nullptr);
  ASSERT_TRUE(DecodeCensus(study, cohort.sites, sums).ok());
  gray[0] += 1 << 16;
  --gray[1];
  EXPECT_EQ(DecodeCensus(study, cohort.sites, sums).status().code(),
            absl::StatusCode::kAborted);
}

// A database may have censuses from before protocol 5.
TEST(CensusVectorTest, CensusWithoutFingerprintsAddsNoneToThePlainSum) {
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

TEST(CensusVectorTest, TrackWithCasesButNoSiteIsAborted) {
  const v1::Study study = SomeStudy();
  const Cohort cohort = SomeCohort(3);
  std::vector<uint32_t> sums = CensusSums(study, cohort.census);
  ASSERT_TRUE(DecodeCensus(study, cohort.sites, sums).ok());
  for (size_t word : {kTrackWords, kTrackWords + 6}) {
    std::vector<uint32_t> none = sums;
    none[word] = 0;
    EXPECT_EQ(DecodeCensus(study, cohort.sites, none).status().code(),
              absl::StatusCode::kAborted);
  }
  // A class may have as many sites as the track, but not more.
  sums[kTrackWords + 6] = sums[kTrackWords];
  EXPECT_TRUE(DecodeCensus(study, cohort.sites, sums).ok());
  ++sums[kTrackWords + 6];
  EXPECT_FALSE(DecodeCensus(study, cohort.sites, sums).ok());
}

// The database has censuses from before patients were counted.
TEST(CensusVectorTest, CensusWithoutPatientsAddsNoneToThePlainSum) {
  const v1::Study study = SomeStudy();
  Cohort cohort = SomeCohort(2);
  for (auto& [site, census] : cohort.census) {
    for (auto& arm : *census.mutable_arms()) arm.clear_fold_class_patients();
  }
  const v1::CensusTotals totals = SumCensus(study, cohort.census);
  EXPECT_THAT(totals.arms(0).fold_class_patients(),
              ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_EQ(totals.track_sites(2), 2u);
}

TEST(CensusVectorTest, ExamplesOfTracksAreThoseOfTheCensus) {
  v1::CensusTotals census;
  for (uint64_t arm = 0; arm < 2; ++arm) {
    v1::ArmCensus* counts = census.add_arms();
    for (uint64_t count : {1, 2, 4, 8, 16, 32}) {
      counts->add_fold_class_counts(count << (6 * arm));
    }
  }
  EXPECT_THAT(HeldOut(SomeStudy(), census),
              ElementsAre(7, 56, 0, 7 << 6, 56 << 6, 0));
  EXPECT_THAT(TrackExamples(SomeStudy(), census),
              ElementsAre(56, 7, 63, 56 << 6, 7 << 6, 63 << 6));
}

}  // namespace
}  // namespace hilum
