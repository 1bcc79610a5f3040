// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/command/train_segmenter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "common/crypto/sha256.h"
#include "common/model/lungs_unet.h"
#include "common/model/safetensors.h"
#include "site_agent/trainer/learning/local_training.h"
#include "site_agent/trainer/learning/schedule.h"
#include "site_agent/trainer/segmentation/command/score_segmenter.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"
#include "site_agent/trainer/segmentation/segment_cases.h"
#include "site_agent/trainer/segmentation/segmenter.h"

namespace hilum {
namespace {

constexpr size_t kBatch = 16, kLeastCases = 16;
constexpr int kMostEpochs = 1000;
// Share of the minutes for epochs; the rest is for reading and judging.
constexpr double kEpochShare = 0.93;

absl::Status CheckOptions(const SegmentTraining& options) {
  HILUM_RETURN_IF_ERROR(CheckWeightsPath(options.out));
  if (!(options.minutes > 0 && options.minutes <= 7 * 24 * 60)) {
    return UsageError("--minutes is over 0, and at most 10080");
  }
  if (!(options.hold_out >= 0 && options.hold_out <= 0.9)) {
    return UsageError("--hold-out is from 0 to 0.9");
  }
  if (options.epochs < 0 || options.epochs > kMostEpochs) {
    return UsageError(absl::StrCat("--epochs is at most ", kMostEpochs));
  }
  if (options.threads < 1 || options.threads > 256) {
    return UsageError("--threads is from 1 to 256");
  }
  return absl::OkStatus();
}

// One training, from reading the cases to writing the file.
class Session {
 public:
  Session(const SegmentTraining& options, Clock& clock, std::ostream& out)
      : options_(options), clock_(clock), out_(out), begin_(clock.Now()) {}

  absl::Status Run();

 private:
  absl::Status ReadCases();
  absl::Status Train();
  // Trains one epoch; returns the mean loss.
  absl::StatusOr<double> Epoch(int epoch);
  // Chooses the number of epochs from the first epoch's time.
  void Plan(absl::Duration first);
  void Say(int epoch, double loss);
  absl::Status Judge();
  absl::Status Write();
  double Minutes() const {
    return absl::ToDoubleMinutes(clock_.Now() - begin_);
  }

  const SegmentTraining& options_;
  Clock& clock_;
  std::ostream& out_;
  const absl::Time begin_;
  CaseManifest manifest_;
  std::vector<std::string> labels_;
  std::vector<SegmentCase> learning_;
  std::vector<const CaseRow*> held_out_;
  std::unique_ptr<Segmenter> segmenter_;
  std::map<std::string, std::string> metadata_;
  v1::Training recipe_;
  int epochs_ = 0, done_ = 0;
};

absl::Status Session::ReadCases() {
  HILUM_ASSIGN_OR_RETURN(LabelledManifest read, ReadAnyManifest(options_.data));
  manifest_ = std::move(read.manifest);
  labels_ = std::move(read.labels);
  SegmentCases cases =
      LoadSegmentCases(manifest_, options_.size, options_.threads);
  for (const RejectedRow& row : cases.rejected) {
    out_ << "row " << row.row << ", left out: " << row.reason << "\n";
  }
  std::set<std::string> patients[2];
  for (SegmentCase& c : cases.cases) {
    const CaseRow& row = manifest_.cases[c.index];
    const bool kept =
        IsHeldOut(row.patient_id, options_.hold_out, options_.seed);
    patients[kept].insert(row.patient_id);
    if (kept) {
      held_out_.push_back(&row);
    } else {
      learning_.push_back(std::move(c));
    }
  }
  if (learning_.size() < kLeastCases) {
    return absl::InvalidArgumentError(absl::StrCat(
        options_.data, ": ", learning_.size(), " cases with a mask to learn ",
        "from; ", kLeastCases, " are needed at least"));
  }
  out_ << absl::StrFormat(
      "%d cases of %d patients to learn from, %d of %d held out; read in "
      "%.1f minutes\n",
      learning_.size(), patients[0].size(), held_out_.size(),
      patients[1].size(), Minutes());
  metadata_["hilum.segmenter.cases"] = absl::StrCat(learning_.size());
  metadata_["hilum.segmenter.patients"] = absl::StrCat(patients[0].size());
  return absl::OkStatus();
}

absl::StatusOr<double> Session::Epoch(int epoch) {
  std::vector<size_t> order(learning_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Rng(options_.seed, absl::StrCat("segment order ", epoch)).Shuffle(order);
  const v1::Augmentation reach = SegmentAugmentation();
  double sum = 0;
  for (size_t first = 0; first < order.size(); first += kBatch) {
    const size_t end = std::min(first + kBatch, order.size());
    // A batch of one has poor statistics.
    if (end - first < kBatch / 2 && first > 0) break;
    SegmentBatch batch;
    for (size_t i = first; i < end; ++i) {
      const SegmentCase& c = learning_[order[i]];
      Rng rng(options_.seed,
              absl::StrCat("segment version ", epoch, " ", c.index));
      AppendAugmentedPair(c.plane, c.mask, options_.size, reach, rng,
                          batch.pixels, batch.masks);
    }
    const double t =
        epoch + static_cast<double>(end) / static_cast<double>(order.size());
    HILUM_ASSIGN_OR_RETURN(
        double loss, segmenter_->TrainBatch(batch, RateFactor(recipe_, t)));
    sum += loss * static_cast<double>(end - first);
  }
  return sum / static_cast<double>(order.size());
}

void Session::Plan(absl::Duration first) {
  const double left = options_.minutes * kEpochShare - Minutes();
  const double more = std::floor(left / absl::ToDoubleMinutes(first));
  epochs_ = 1 + static_cast<int>(std::clamp(more, 0.0, kMostEpochs - 1.0));
  recipe_.set_rounds(static_cast<uint32_t>(epochs_));
  out_ << absl::StrFormat(
      "%d epochs fit into %g minutes (--epochs %d repeats this)\n", epochs_,
      options_.minutes, epochs_);
}

void Session::Say(int epoch, double loss) {
  if (epoch > 0 && epoch % 5 != 4 && epoch + 1 != epochs_) return;
  out_ << absl::StrFormat("epoch %d of %d  loss %.4f  %.1f minutes\n",
                          epoch + 1, epochs_, loss, Minutes())
       << std::flush;
}

absl::Status Session::Train() {
  epochs_ = options_.epochs;
  recipe_ = OneCycle(epochs_ > 0 ? epochs_ : kMostEpochs, 3e-3, 1e-3);
  HILUM_ASSIGN_OR_RETURN(
      segmenter_,
      Segmenter::Create(options_.size,
                        InitialWeights(SegmenterArchitecture(), options_.seed),
                        recipe_));
  const absl::Time start = clock_.Now();
  for (int epoch = 0; epoch == 0 || epoch < epochs_; ++epoch) {
    const absl::Time before = clock_.Now();
    HILUM_ASSIGN_OR_RETURN(double loss, Epoch(epoch));
    done_ = epoch + 1;
    // The first epoch is the warm-up, however many epochs there are.
    if (epochs_ == 0) Plan(clock_.Now() - before);
    Say(epoch, loss);
    if (done_ < epochs_ && Minutes() > options_.minutes * kEpochShare) {
      out_ << absl::StrFormat(
          "stopped after epoch %d of %d: the minutes are over\n", done_,
          epochs_);
      break;
    }
  }
  const double seconds = absl::ToDoubleSeconds(clock_.Now() - start);
  out_ << absl::StrFormat(
      "%.1f images a second\n",
      static_cast<double>(learning_.size()) * done_ / std::max(seconds, 1e-9));
  return absl::OkStatus();
}

absl::Status Session::Judge() {
  if (held_out_.empty()) return absl::OkStatus();
  out_ << "held out:\n";
  HILUM_ASSIGN_OR_RETURN(SegmentScores scores,
                         ScoreSegmenter(*segmenter_, CaseLoader(manifest_),
                                        held_out_, labels_, out_));
  metadata_["hilum.segmenter.held_out_dice"] = scores.dice;
  metadata_["hilum.segmenter.held_out_iou"] = scores.iou;
  return absl::OkStatus();
}

absl::Status Session::Write() {
  HILUM_ASSIGN_OR_RETURN(std::string manifest, ReadFile(options_.data));
  metadata_["hilum.segmenter.data_sha256"] = ToHex(Sha256Of(manifest));
  metadata_[std::string(kSegmenterSizeKey)] = absl::StrCat(options_.size);
  metadata_["hilum.segmenter.seed"] = absl::StrCat(options_.seed);
  metadata_["hilum.segmenter.epochs"] = absl::StrCat(done_, " of ", epochs_);
  metadata_["hilum.segmenter.hold_out"] = absl::StrCat(options_.hold_out);
  HILUM_ASSIGN_OR_RETURN(std::string digest,
                         WriteSafetensors(options_.out, SegmenterArchitecture(),
                                          segmenter_->Weights(), metadata_));
  out_ << options_.out << "\nsha256 " << ToHex(digest) << "\n";
  return absl::OkStatus();
}

absl::Status Session::Run() {
  HILUM_RETURN_IF_ERROR(ReadCases());
  Segmenter::SetThreads(options_.threads);
  HILUM_RETURN_IF_ERROR(Train());
  HILUM_RETURN_IF_ERROR(Judge());
  return Write();
}

}  // namespace

absl::Status TrainSegmenter(const SegmentTraining& options, Clock& clock,
                            std::ostream& out) {
  HILUM_RETURN_IF_ERROR(CheckOptions(options));
  return Session(options, clock, out).Run();
}

}  // namespace hilum
