// SPDX-License-Identifier: Apache-2.0
// Compares tracks with the same training written step by step.
#include "site_agent/trainer/segmentation/segment_track.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "absl/strings/str_split.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/lungs/lung_mask.h"
#include "site_agent/trainer/learning/schedule.h"
#include "site_agent/trainer/segmentation/augment_pair.h"
#include "tests/site_agent/trainer/segmentation/lung_site.h"

namespace hilum {
namespace {

constexpr size_t kPixels = 32 * 32;

class SegmentTrackTest : public LungSiteTest {
 protected:
  SegmentTrackTest() {
    WriteSite("a", 0, 15);
    v1::Training& training = *study_.mutable_training();
    training.set_local_epochs(2);
    training.set_gradient_clipping_norm(1);
    training.mutable_optimizer()->set_kind(v1::Optimizer::KIND_ADAMW);
    training.mutable_optimizer()->set_weight_decay(0.01);
    training.mutable_schedule()->set_kind(v1::Schedule::KIND_COSINE);
    training.mutable_schedule()->set_warmup_rounds(1);
    training.mutable_augmentation()->set_flip(true);
  }

  // Returns the site's study as a session prepares it.
  PreparedStudy Prepared() {
    PreparedStudy prepared;
    prepared.study = study_;
    prepared.layout = layout_;
    prepared.tracks = tracks_;
    prepared.site = "a";
    prepared.draws_key = DrawsKeyOf(std::string(32, 'k'), study_);
    const CaseSource source = {.manifest = Path("a.csv"),
                               .site = "a",
                               .patient_key = std::string(32, 'k')};
    prepared.pool = *LoadCasePool({source}, study_, 1);
    return prepared;
  }

  std::unique_ptr<Segmenter> NewSegmenter(absl::Span<const float> weights) {
    Segmenter::SetThreads(1);
    return *Segmenter::Create(kSide, weights, study_.training());
  }
};

// Returns one image's loss: mean cross-entropy of pixels and soft Dice, in
// double.
double Loss(absl::Span<const float> p, absl::Span<const uint16_t> lungs) {
  double entropy = 0, both = 0, found = 0, truth = 0;
  for (size_t i = 0; i < kPixels; ++i) {
    const double t = lungs[i] / 65535.0;
    entropy -= t * std::log(p[i]) + (1 - t) * std::log1p(-p[i]);
    both += p[i] * t;
    found += p[i];
    truth += t;
  }
  return entropy / kPixels + 1 - (2 * both + 1) / (found + truth + 1);
}

// Trains as TrainSegmentTrack should, epoch by epoch.
std::vector<float> TrainedByHand(const PreparedStudy& prepared,
                                 Segmenter& segmenter, const Track& track,
                                 uint32_t round, double& last_loss) {
  const v1::Training& training = prepared.study.training();
  std::vector<size_t> cases = prepared.CasesOf(track, Part::kTraining);
  const size_t steps = 2;  // 9 cases: 4, 4, and one skipped
  EXPECT_EQ(cases.size(), 9u);
  Rng order = prepared.MakeRng("shuffle", track, round);
  for (uint32_t epoch = 0; epoch < 2; ++epoch) {
    order.Shuffle(cases);
    last_loss = 0;
    for (size_t step = 0; step < steps; ++step) {
      SegmentBatch batch;
      for (size_t i = 4 * step; i < 4 * step + 4; ++i) {
        const uint64_t version = 1 + (round - 1) * 2 + epoch;
        Rng rng = prepared.SecretRng(absl::StrCat(
            "augment/lungs/", ToHex(prepared.pool.data.digests[cases[i]]), "/",
            version));
        AppendAugmentedPair(prepared.pool.data.whole[cases[i]],
                            prepared.pool.data.whole_lungs[cases[i]], 32,
                            training.augmentation(), rng, batch.pixels,
                            batch.masks);
      }
      // A round has four steps. The first round is the warm-up: its steps take
      // the rate at their end.
      const double done = (2 * epoch + static_cast<double>(step)) / 4;
      const double factor =
          round == 1 ? done + 0.25 : RateFactor(training, round - 1 + done);
      last_loss += 4 * *segmenter.TrainBatch(batch, factor);
    }
  }
  return segmenter.Weights();
}

// FedAvg of one site equals that site's own training, up to rounding.
TEST_F(SegmentTrackTest, RoundsOfOneSiteAreTrainingWrittenDown) {
  TakeStudy();
  const PreparedStudy prepared = Prepared();
  TorchTrainer trainer;
  Prepare(trainer, "a");
  const size_t track = 1;
  auto by_hand = NewSegmenter(PartOf(ReadBlob("global"), track));
  for (uint32_t round : {1, 2}) {
    std::vector<float> global = ReadBlob("global");
    // Resets the optimiser.
    ASSERT_TRUE(by_hand->Load(PartOf(global, track)).ok());
    double loss = 0;
    const std::vector<float> wanted =
        TrainedByHand(prepared, *by_hand, tracks_[track], round, loss);
    const v1::TrainResponse trained = Train(trainer, round);
    EXPECT_EQ(trained.tracks(static_cast<int>(track)).num_examples(), 8u);
    EXPECT_DOUBLE_EQ(trained.tracks(static_cast<int>(track)).loss_sum(), loss);
    const std::vector<float> delta = ReadBlob("delta");
    for (size_t i = 0; i < global.size(); ++i) global[i] += delta[i];
    WriteGlobal(global);
    const std::vector<float> got = PartOf(global, track);
    for (size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_NEAR(got[i], wanted[i], 1e-6 * (1 + std::abs(wanted[i])));
    }
  }
}

TEST_F(SegmentTrackTest, OneSmallBatchIsStillTrainedOn) {
  study_.mutable_training()->set_batch_size(64);
  TakeStudy();
  TorchTrainer trainer;
  Prepare(trainer, "a");
  EXPECT_EQ(Train(trainer, 1).tracks(1).num_examples(), 9u);
  study_.mutable_training()->set_batch_size(6);  // the last one is of three
  TorchTrainer halves;
  Prepare(halves, "a");
  EXPECT_EQ(Train(halves, 1).tracks(1).num_examples(), 9u);
}

// Nine cases give two steps an epoch in batches of four, and three in batches
// of three.
TEST_F(SegmentTrackTest, BatchesAreAsSmallAsTheStepsWantThem) {
  TakeStudy();
  PreparedStudy prepared = Prepared();
  EXPECT_EQ(prepared.BatchSizeOf(9), 4u);
  prepared.minimum_steps = 6;
  EXPECT_EQ(prepared.BatchSizeOf(9), 3u);
  prepared.minimum_steps = 7;
  EXPECT_EQ(prepared.BatchSizeOf(9), 2u);
}

TEST_F(SegmentTrackTest, TrackWithTooFewCasesIsLeftOut) {
  TakeStudy();
  PreparedStudy prepared = Prepared();
  const std::vector<float> before = PartOf(ReadBlob("global"), 1);
  auto segmenter = NewSegmenter(before);
  prepared.minimum_steps = 2 * 9 + 1;
  TrainedTrack trained;
  ASSERT_TRUE(
      TrainSegmentTrack(prepared, *segmenter, 1, 1, before, trained).ok());
  EXPECT_EQ(trained.update.num_examples(), 0u);
  EXPECT_EQ(trained.delta, std::vector<float>(before.size(), 0));
  prepared.minimum_steps = 2 * 9;
  ASSERT_TRUE(
      TrainSegmentTrack(prepared, *segmenter, 1, 1, before, trained).ok());
  EXPECT_EQ(trained.update.num_examples(), 9u);
  EXPECT_NE(trained.delta, std::vector<float>(before.size(), 0));
}

TEST_F(SegmentTrackTest, ValidationIsOfWhatCame) {
  study_.mutable_training()->mutable_validation()->set_share(0.4);
  TakeStudy();
  const PreparedStudy prepared = Prepared();
  const Track& track = tracks_[2];
  const auto cases = prepared.CasesOf(track, Part::kValidation);
  ASSERT_FALSE(cases.empty());
  auto segmenter = NewSegmenter(PartOf(ReadBlob("global"), 2));
  double loss = 0;
  for (size_t i : cases) {
    std::vector<float> pixels, masks;
    AppendPair(prepared.pool.data.whole[i], prepared.pool.data.whole_lungs[i],
               pixels, masks);
    loss +=
        Loss(*segmenter->Predict(pixels), prepared.pool.data.whole_lungs[i]);
  }
  TorchTrainer trainer;
  Prepare(trainer, "a");
  const v1::TrackUpdate update = Train(trainer, 1).tracks(2);
  EXPECT_EQ(update.validation_examples(), cases.size());
  EXPECT_NEAR(update.validation_loss_sum(), loss, 1e-5 * loss);
  EXPECT_LE(update.num_examples(), 15 - cases.size());
}

void LearnABit(const PreparedStudy& prepared, Segmenter& segmenter) {
  for (int step = 0; step < 30; ++step) {
    SegmentBatch batch;
    for (size_t i = step % 3; i < prepared.cases().size(); i += 3) {
      AppendPair(prepared.pool.data.whole[i], prepared.pool.data.whole_lungs[i],
                 batch.pixels, batch.masks);
    }
    ASSERT_TRUE(segmenter.TrainBatch(batch, 1).ok());
  }
}

// Returns means over each patient's cases of a group, in order of patients.
std::vector<double> PatientMeans(
    const std::map<std::string, std::vector<double>>& group) {
  std::vector<double> means;
  for (const auto& [patient, values] : group) {
    double sum = 0;
    for (double value : values) sum += value;
    means.push_back(sum / static_cast<double>(values.size()));
  }
  return means;
}

TEST_F(SegmentTrackTest, EvaluationIsThatOfSlowSums) {
  TakeStudy();
  const PreparedStudy prepared = Prepared();
  auto learner = NewSegmenter(PartOf(ReadBlob("global"), 0));
  LearnABit(prepared, *learner);
  const std::vector<float> global =
      RepeatForTracks(learner->Weights(), static_cast<int>(tracks_.size()));
  WriteGlobal(global);
  TorchTrainer trainer;
  Prepare(trainer, "a");
  const v1::EvaluateResponse evaluated = Evaluate(trainer);
  ASSERT_EQ(evaluated.tracks_size(), 2);  // the final track holds nobody out
  for (size_t t : {0, 1}) {
    auto segmenter = NewSegmenter(PartOf(global, t));
    std::map<std::string, std::vector<double>> dice[3], iou[3];
    uint64_t cases[3] = {}, implausible[3] = {};
    double loss = 0;
    for (size_t i : prepared.CasesOf(tracks_[t], Part::kHeldOut)) {
      std::vector<float> pixels;
      for (uint16_t v : prepared.pool.data.whole[i]) {
        pixels.push_back(v / 65535.0f);
      }
      const auto& lungs = prepared.pool.data.whole_lungs[i];
      GrayImage found{kSide, kSide, *segmenter->Predict(pixels)};
      loss += Loss(found.pixels, lungs);
      const BinaryMask mask = CleanLungMask(ToBinaryMask(found));
      double both = 0, either = 0;
      for (size_t p = 0; p < kPixels; ++p) {
        const bool truth = lungs[p] > 32767;
        both += mask.pixels[p] && truth;
        either += mask.pixels[p] || truth;
      }
      const CaseRow& row = prepared.cases()[i];
      for (int group : {row.label, 2}) {
        dice[group][row.patient_id].push_back(2 * both / (both + either));
        iou[group][row.patient_id].push_back(both / either);
        ++cases[group];
        implausible[group] +=
            !JudgeLungMask(
                 MaskInProportions(mask, Chest::kRows, Chest::kColumns, kSide))
                 .accepted();
      }
    }
    const v1::TrackEvaluation& track = evaluated.tracks(static_cast<int>(t));
    EXPECT_EQ(track.track(), t);
    EXPECT_NEAR(track.loss_sum(), loss, 1e-5 * loss);
    EXPECT_EQ(track.confusion_size() + track.classes_size(), 0);
    ASSERT_EQ(track.overlaps_size(), 3);
    for (int group : {0, 1, 2}) {
      const v1::Overlap& sums = track.overlaps(group);
      const auto dices = PatientMeans(dice[group]);
      const auto ious = PatientMeans(iou[group]);
      double sum[4] = {};
      for (size_t i = 0; i < dices.size(); ++i) {
        sum[0] += dices[i];
        sum[1] += dices[i] * dices[i];
        sum[2] += ious[i];
        sum[3] += ious[i] * ious[i];
      }
      EXPECT_EQ(sums.cases(), cases[group]);
      EXPECT_EQ(sums.patients(), dices.size());
      EXPECT_LT(sums.patients(), sums.cases());
      EXPECT_EQ(sums.implausible(), implausible[group]);
      EXPECT_NEAR(sums.dice_sum(), sum[0], 1e-12);
      EXPECT_NEAR(sums.dice_square_sum(), sum[1], 1e-12);
      EXPECT_NEAR(sums.iou_sum(), sum[2], 1e-12);
      EXPECT_NEAR(sums.iou_square_sum(), sum[3], 1e-12);
      EXPECT_GT(sum[0], 0);
    }
  }
}

TEST_F(SegmentTrackTest, PredictionsHaveARowForEachCaseHeldOut) {
  TakeStudy();
  TorchTrainer trainer;
  Prepare(trainer, "a");
  Evaluate(trainer);
  const std::vector<std::string> lines =
      absl::StrSplit(*ReadFile(Path("predictions")), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 1 + 15u);
  EXPECT_EQ(lines[0], "case,arm,model,track,label,dice,iou,verdict");
  for (size_t i = 1; i < lines.size(); ++i) {
    EXPECT_THAT(lines[i], testing::MatchesRegex(
                              "a[0-9]+.png,whole,federated,fold-[12],"
                              "(ill|well),[0-9.e-]+,[0-9.e-]+,[a-z ]+"));
  }
}

}  // namespace
}  // namespace hilum
