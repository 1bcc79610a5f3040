// SPDX-License-Identifier: Apache-2.0
// Tests evaluations of a study that classifies, as vectors.
#include <cmath>
#include <limits>
#include <string>

#include "common/aggregation/statistics_vector.h"
#include "common/config/cohort_rules.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/aggregation/some_cohort.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

TEST(EvaluationVectorTest, SumOfEvaluationsIsThatOfThePlainOnes) {
  const v1::Study study = SomeStudy();
  Cohort cohort = SomeCohort(7);
  const std::vector<uint64_t> held_out =
      HeldOut(study, SumCensus(study, cohort.census));
  // Two sites are in the census and give no evaluation.
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
        held_out_(HeldOut(study_, census_)),
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
  // Any cohort from a coordinator gives a vector or an error.
  held_out_.assign(6, ~uint64_t{0});
  EXPECT_TRUE(Encode().ok());
  held_out_.assign(6, 1);
  EXPECT_FALSE(Encode().ok());
}

// The track has no trained model.
TEST_F(OneEvaluationTest, TrackThatIsNotEvaluatedIsSentAsOneOfNoCases) {
  held_out_[1] = 0;
  const auto words = EncodeEvaluation(study_, held_out_, evaluation_.tracks());
  ASSERT_TRUE(words.ok()) << words.status();
  for (size_t i = 0; i < words->size(); ++i) {
    EXPECT_EQ((*words)[i], i / kTrackWords == 1 ? 0 : sums_[i]) << i;
  }
}

TEST_F(OneEvaluationTest, HistogramsOfTooFewPatientsAreSentAsZeros) {
  ShownHistograms shown(6 * kClasses, true);
  shown[1 * kClasses + 2] = false;
  const auto words =
      EncodeEvaluation(study_, held_out_, evaluation_.tracks(), shown);
  ASSERT_TRUE(words.ok()) << words.status();
  const size_t first = kTrackWords + kClasses * kClasses + 2 * 2 * kBins;
  uint32_t withheld = 0;
  for (size_t i = 0; i < words->size(); ++i) {
    const bool zero = i >= first && i < first + 2 * kBins;
    withheld += zero ? sums_[i] : 0;
    EXPECT_EQ((*words)[i], zero ? 0 : sums_[i]) << i;
  }
  EXPECT_GT(withheld, 0u);
  const auto read =
      DecodeEvaluation(study_, held_out_, cohort_.sites, *words, shown);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->tracks(1).confusion(0), evaluation_.tracks(1).confusion(0));
  // A sum without histograms is refused where all must be shown; so are the
  // sites' own sums where some must not be shown.
  const auto refused = [&](const std::vector<uint32_t>& sums,
                           const ShownHistograms& wanted) {
    return absl::IsAborted(
        DecodeEvaluation(study_, held_out_, cohort_.sites, sums, wanted)
            .status());
  };
  EXPECT_TRUE(refused(*words, {}));
  EXPECT_TRUE(refused(sums_, shown));
}

TEST_F(OneEvaluationTest, HistogramsThatAreShownCannotBeLeftOut) {
  for (v1::ScoreHistogram& scores :
       *evaluation_.mutable_tracks(1)->mutable_classes()) {
    scores.mutable_positives()->Resize(0, 0);
    scores.mutable_positives()->Resize(kBins, 0);
    *scores.mutable_negatives() = scores.positives();
  }
  EXPECT_EQ(Encode().code(), absl::StatusCode::kInvalidArgument);
  const ShownHistograms shorter(6 * kClasses - 1);
  EXPECT_EQ(EncodeEvaluation(study_, held_out_, evaluation_.tracks(), shorter)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeEvaluation(study_, held_out_, cohort_.sites, sums_, shorter)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
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
    held_out_ = HeldOut(study_, SumCensus(study_, cohort_.census));
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
