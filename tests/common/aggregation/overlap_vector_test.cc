// SPDX-License-Identifier: Apache-2.0
// Tests evaluations of a study of segmentation as vectors.
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/rng.h"
#include "common/config/census.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

constexpr int kClasses = 2;
constexpr size_t kOverlapWords = 7;
constexpr size_t kTrackWords = (kClasses + 1) * kOverlapWords + 1;

// Tracks 0 and 1 hold cases out, 2 is final.
v1::Study SomeStudy() {
  v1::Study study;
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_evaluation()->set_score_bins(16);
  return study;
}

v1::Overlap SomeOverlap(uint64_t cases, uint64_t patients, Rng& rng) {
  v1::Overlap overlap;
  overlap.set_cases(cases);
  overlap.set_patients(patients);
  overlap.set_implausible(rng.Below(cases + 1));
  for (uint64_t p = 0; p < patients; ++p) {
    const double dice = rng.Uniform(), iou = dice / (2 - dice);
    overlap.set_dice_sum(overlap.dice_sum() + dice);
    overlap.set_dice_square_sum(overlap.dice_square_sum() + dice * dice);
    overlap.set_iou_sum(overlap.iou_sum() + iou);
    overlap.set_iou_square_sum(overlap.iou_square_sum() + iou * iou);
  }
  return overlap;
}

// Returns up to twenty cases of each class and track; some have none.
v1::SubmitEvaluationRequest SomeEvaluation(Rng& rng) {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation& track = *evaluation.add_tracks();
    track.set_track(t);
    const uint64_t sick = rng.Below(20), well = rng.Below(20);
    const v1::Overlap a = SomeOverlap(sick, (sick + 1) / 2, rng);
    const v1::Overlap b = SomeOverlap(well, (well + 1) / 2, rng);
    v1::Overlap all =
        SomeOverlap(sick + well, std::max(a.patients(), b.patients()), rng);
    all.set_implausible(a.implausible() + b.implausible());
    for (const v1::Overlap& overlap : {a, b, all}) {
      *track.add_overlaps() = overlap;
    }
    track.set_loss_sum(rng.Uniform() * static_cast<double>(all.cases()));
  }
  return evaluation;
}

class OverlapVectorTest : public testing::Test {
 protected:
  explicit OverlapVectorTest(int sites = 7) : held_out_(3) {
    Rng rng(5, "overlaps");
    for (int s = 0; s < sites; ++s) {
      const SiteId site(absl::StrCat("site-", s));
      sites_.insert(site);
      evaluations_[site] = SomeEvaluation(rng);
      for (size_t t = 0; t < 2; ++t) {
        held_out_[t] +=
            evaluations_[site].tracks(static_cast<int>(t)).overlaps(2).cases();
      }
    }
    sums_ = Sums();
  }

  std::vector<uint32_t> Sums() const {
    std::vector<uint32_t> sums(
        static_cast<size_t>(EvaluationVectorSize(study_)));
    for (const auto& [site, own] : evaluations_) {
      auto words = EncodeEvaluation(study_, held_out_, own.tracks());
      EXPECT_TRUE(words.ok()) << words.status();
      EXPECT_EQ(words->size(), sums.size());
      AddWords(*words, absl::MakeSpan(sums));
    }
    return sums;
  }
  absl::StatusOr<v1::EvaluationTotals> Decode() const {
    return DecodeEvaluation(study_, held_out_, sites_, sums_);
  }

  const v1::Study study_ = SomeStudy();
  std::set<SiteId> sites_;
  std::map<SiteId, v1::SubmitEvaluationRequest> evaluations_;
  std::vector<uint64_t> held_out_;
  std::vector<uint32_t> sums_;
};

class OneOverlapVectorTest : public OverlapVectorTest {
 protected:
  OneOverlapVectorTest() : OverlapVectorTest(1) {}
};

TEST_F(OverlapVectorTest, SumsAreThoseOfThePlainOnes) {
  EXPECT_EQ(sums_.size(), 2 * kTrackWords);
  const auto totals = Decode();
  ASSERT_TRUE(totals.ok()) << totals.status();
  const v1::EvaluationTotals plain = SumEvaluations(study_, evaluations_);
  EXPECT_EQ(totals->sites_size(), 7);
  for (int t = 0; t < 2; ++t) {
    const double n = static_cast<double>(held_out_[static_cast<size_t>(t)]);
    EXPECT_NEAR(totals->tracks(t).loss_sum(), plain.tracks(t).loss_sum(),
                7 * 0x1p-25 * n);
    ASSERT_EQ(totals->tracks(t).overlaps_size(), kClasses + 1);
    EXPECT_EQ(totals->tracks(t).classes_size(), 0);
    for (int c = 0; c <= kClasses; ++c) {
      const v1::Overlap &is = totals->tracks(t).overlaps(c),
                        &want = plain.tracks(t).overlaps(c);
      EXPECT_GT(want.cases(), 0u);
      EXPECT_EQ(is.cases(), want.cases());
      EXPECT_EQ(is.patients(), want.patients());
      EXPECT_EQ(is.implausible(), want.implausible());
      const double error = 7 * 0x1p-31 * n;
      EXPECT_NEAR(is.dice_sum(), want.dice_sum(), error);
      EXPECT_NEAR(is.dice_square_sum(), want.dice_square_sum(), error);
      EXPECT_NEAR(is.iou_sum(), want.iou_sum(), error);
      EXPECT_NEAR(is.iou_square_sum(), want.iou_square_sum(), error);
    }
  }
}

TEST_F(OverlapVectorTest, MoreCasesThanTheCohortHoldsOutAreNotEncoded) {
  held_out_.assign(3, 1);
  const auto& tracks = evaluations_.begin()->second.tracks();
  const absl::Status status =
      EncodeEvaluation(study_, held_out_, tracks).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("holds out 1"));
}

TEST_F(OverlapVectorTest, WhatIsNoOverlapIsNotEncoded) {
  v1::SubmitEvaluationRequest evaluation = evaluations_.begin()->second;
  v1::Overlap& overlap = *evaluation.mutable_tracks(0)->mutable_overlaps(0);
  overlap.set_dice_sum(static_cast<double>(overlap.patients()) + 0.1);
  EXPECT_EQ(
      EncodeEvaluation(study_, held_out_, evaluation.tracks()).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(OverlapVectorTest, CasesNobodyHoldsOutAreAborted) {
  --held_out_[1];
  EXPECT_EQ(Decode().status().code(), absl::StatusCode::kAborted);
}

// Cases and implausible cases are counted by class and in all. More patients
// than cases, or in all than in the classes, are rejected too.
TEST_F(OneOverlapVectorTest, CountThatIsDamagedIsAborted) {
  ASSERT_TRUE(Decode().ok()) << Decode().status();
  for (size_t i = 0; i < sums_.size(); ++i) {
    const size_t word = i % kTrackWords % kOverlapWords;
    if (i % kTrackWords == kTrackWords - 1 || word > 2) continue;
    for (uint32_t change : {word == 1 ? 1u << 20 : 1u, 1u << 31}) {
      sums_[i] += change;
      EXPECT_EQ(Decode().status().code(), absl::StatusCode::kAborted) << i;
      sums_[i] -= change;
    }
  }
}

TEST_F(OneOverlapVectorTest, SumsOverPatientsOutOfTheirBoundsAreAborted) {
  for (size_t i = 0; i < sums_.size(); ++i) {
    const size_t word = i % kTrackWords % kOverlapWords;
    if (i % kTrackWords == kTrackWords - 1 || word < 3) continue;
    const uint32_t was = std::exchange(sums_[i], ~uint32_t{0});
    EXPECT_EQ(Decode().status().code(), absl::StatusCode::kAborted) << i;
    sums_[i] = was;
  }
}

TEST_F(OneOverlapVectorTest, SumThatPassedItsBoundByRoundingIsPutRight) {
  v1::SubmitEvaluationRequest& own = evaluations_.begin()->second;
  for (v1::Overlap& overlap : *own.mutable_tracks(0)->mutable_overlaps()) {
    const double n = static_cast<double>(overlap.patients());
    overlap.set_dice_sum(n);
    overlap.set_dice_square_sum(n);
    overlap.set_iou_sum(n);
    overlap.set_iou_square_sum(n);
  }
  sums_ = Sums();
  for (size_t word = 3; word < kOverlapWords; ++word) ++sums_[word];
  const auto totals = Decode();
  ASSERT_TRUE(totals.ok()) << totals.status();
  const v1::Overlap& overlap = totals->tracks(0).overlaps(0);
  EXPECT_LE(overlap.dice_sum(), static_cast<double>(overlap.patients()));
  EXPECT_LE(overlap.dice_square_sum(), overlap.dice_sum());
  EXPECT_LE(overlap.iou_sum(), overlap.dice_sum());
  EXPECT_LE(overlap.iou_square_sum(), overlap.iou_sum());
  sums_[3] += 2;
  EXPECT_EQ(Decode().status().code(), absl::StatusCode::kAborted);
}

TEST_F(OneOverlapVectorTest, MeanLossOutOfItsRangeIsAborted) {
  sums_[kTrackWords - 1] = ~uint32_t{0};
  EXPECT_EQ(Decode().status().code(), absl::StatusCode::kAborted);
}

TEST_F(OneOverlapVectorTest, OtherLengthsAreRefused) {
  sums_.push_back(0);
  EXPECT_EQ(Decode().status().code(), absl::StatusCode::kInvalidArgument);
}

// The most sites have the largest allowed sums everywhere.
TEST_F(OneOverlapVectorTest, SumsOfTheMostAndLargestSitesDoNotWrap) {
  v1::SubmitEvaluationRequest largest;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation& track = *largest.add_tracks();
    track.set_track(t);
    track.set_loss_sum(1e300);  // clamped
    for (uint64_t cases : {kMaxArmCases, uint64_t{0}, kMaxArmCases}) {
      v1::Overlap& overlap = *track.add_overlaps();
      overlap.set_cases(cases);
      overlap.set_patients(cases);
      overlap.set_implausible(cases);
      const double n = static_cast<double>(cases);
      overlap.set_dice_sum(n);
      overlap.set_dice_square_sum(n);
      overlap.set_iou_sum(n);
      overlap.set_iou_square_sum(n);
    }
  }
  sites_.clear();
  evaluations_.clear();
  for (int s = 0; s < kMaxSites; ++s) {
    const SiteId site(absl::StrCat("site-", s));
    sites_.insert(site);
    evaluations_[site] = largest;
  }
  held_out_.assign(3, kMaxSites * kMaxArmCases);
  sums_ = Sums();
  const auto totals = Decode();
  ASSERT_TRUE(totals.ok()) << totals.status();
  const double all = kMaxSites * static_cast<double>(kMaxArmCases);
  const v1::Overlap& overlap = totals->tracks(1).overlaps(2);
  EXPECT_EQ(overlap.cases(), kMaxSites * kMaxArmCases);
  EXPECT_NEAR(overlap.dice_sum(), all, kMaxSites * 0x1p-31 * all);
  EXPECT_NEAR(overlap.iou_square_sum(), all, kMaxSites * 0x1p-31 * all);
}

}  // namespace
}  // namespace hilum
