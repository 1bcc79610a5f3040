// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/train_orientation.h"

#include <algorithm>
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
#include "common/model/safetensors.h"
#include "site_agent/trainer/learning/local_training.h"
#include "site_agent/trainer/learning/schedule.h"
#include "site_agent/trainer/orientation/negatives.h"
#include "site_agent/trainer/orientation/orientation_cases.h"
#include "site_agent/trainer/orientation/orientation_learner.h"
#include "site_agent/trainer/orientation/score_orientation.h"
#include "site_agent/trainer/segmentation/segment_cases.h"

namespace hilum {
namespace {

// Upright images and pictures without orientation in each batch.
constexpr size_t kBatch = 32, kNegatives = 12, kLeastCases = 16;

absl::Status CheckOptions(const OrientationTraining& options) {
  HILUM_RETURN_IF_ERROR(CheckWeightsPath(options.out));
  if (options.epochs < 1 || options.epochs > 1000) {
    return UsageError("--epochs is from 1 to 1000");
  }
  if (options.folds < 0 || options.folds == 1 || options.folds > 20) {
    return UsageError("--folds is 0, or from 2 to 20");
  }
  if (options.threads < 1 || options.threads > 256) {
    return UsageError("--threads is from 1 to 256");
  }
  return absl::OkStatus();
}

using Cases = std::vector<const OrientationCase*>;

// One training, from reading the cases to writing the file.
class Session {
 public:
  Session(const OrientationTraining& options, Clock& clock, std::ostream& out)
      : options_(options),
        recipe_(OneCycle(options.epochs, 5e-3, 1e-2)),
        clock_(clock),
        out_(out),
        begin_(clock.Now()) {}

  absl::Status Run();

 private:
  absl::Status ReadCases();
  // Returns the weights after all epochs. `name` selects the run's random
  // draws.
  absl::StatusOr<std::vector<float>> Train(const Cases& cases,
                                           const std::string& name);
  absl::StatusOr<double> Epoch(OrientationLearner& learner, const Cases& cases,
                               const std::string& name, int epoch);
  absl::Status Validate();
  absl::Status Write(const std::vector<float>& weights);
  const std::string& PatientOf(const OrientationCase& c) const {
    return manifest_.cases[c.index].patient_id;
  }

  const OrientationTraining& options_;
  const v1::Training recipe_;
  Clock& clock_;
  std::ostream& out_;
  const absl::Time begin_;
  CaseManifest manifest_;
  std::vector<std::string> labels_;
  std::vector<OrientationCase> cases_;
  std::map<std::string, std::string> metadata_;
};

absl::Status Session::ReadCases() {
  HILUM_ASSIGN_OR_RETURN(LabelledManifest read, ReadAnyManifest(options_.data));
  manifest_ = std::move(read.manifest);
  labels_ = std::move(read.labels);
  OrientationCases loaded = LoadOrientationCases(manifest_, options_.threads);
  for (const RejectedRow& row : loaded.rejected) {
    out_ << "row " << row.row << ", left out: " << row.reason << "\n";
  }
  cases_ = std::move(loaded.cases);
  if (cases_.size() < kLeastCases) {
    return absl::InvalidArgumentError(
        absl::StrCat(options_.data, ": ", cases_.size(),
                     " images to learn from; ", kLeastCases, " are needed"));
  }
  std::set<std::string> patients;
  for (const OrientationCase& c : cases_) patients.insert(PatientOf(c));
  out_ << cases_.size() << " images of " << patients.size() << " patients\n";
  metadata_["hilum.orientation.images"] = absl::StrCat(cases_.size());
  metadata_["hilum.orientation.patients"] = absl::StrCat(patients.size());
  return absl::OkStatus();
}

absl::StatusOr<double> Session::Epoch(OrientationLearner& learner,
                                      const Cases& cases,
                                      const std::string& name, int epoch) {
  std::vector<size_t> order(cases.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Rng(options_.seed, absl::StrCat("orientation order ", name, " ", epoch))
      .Shuffle(order);
  Rng rng(options_.seed, absl::StrCat("orientation draws ", name, " ", epoch));
  double sum = 0;
  int batches = 0;
  for (size_t first = 0; first < order.size(); first += kBatch) {
    const size_t end = std::min(first + kBatch, order.size());
    // A small batch has poor statistics.
    if (end - first < kBatch / 2 && first > 0) break;
    std::vector<float> pixels;
    for (size_t i = first; i < end; ++i) {
      AppendVersion(cases[order[i]]->plane, rng, pixels);
    }
    for (size_t i = 0; i < kNegatives; ++i) AppendNegative(rng, pixels);
    const double t =
        epoch + static_cast<double>(end) / static_cast<double>(order.size());
    HILUM_ASSIGN_OR_RETURN(
        const double loss,
        learner.TrainBatch(pixels, static_cast<int>(end - first),
                           RateFactor(recipe_, t), rng));
    sum += loss;
    ++batches;
  }
  return sum / batches;
}

absl::StatusOr<std::vector<float>> Session::Train(const Cases& cases,
                                                  const std::string& name) {
  HILUM_ASSIGN_OR_RETURN(auto learner,
                         OrientationLearner::Create(options_.seed, recipe_));
  for (int epoch = 0; epoch < options_.epochs; ++epoch) {
    HILUM_ASSIGN_OR_RETURN(const double loss,
                           Epoch(*learner, cases, name, epoch));
    if (epoch % 10 != 9 && epoch + 1 != options_.epochs) continue;
    out_ << absl::StrFormat("%s: epoch %d of %d  loss %.4f  %.1f minutes\n",
                            name, epoch + 1, options_.epochs, loss,
                            absl::ToDoubleMinutes(clock_.Now() - begin_))
         << std::flush;
  }
  return learner->Weights();
}

absl::Status Session::Validate() {
  std::vector<ShownImage> images;
  for (int fold = 0; fold < options_.folds; ++fold) {
    Cases learning, held_out;
    for (const OrientationCase& c : cases_) {
      const bool held =
          OrientationFold(PatientOf(c), options_.folds, options_.seed) == fold;
      (held ? held_out : learning).push_back(&c);
    }
    if (learning.size() < kLeastCases) {
      return absl::InvalidArgumentError(
          absl::StrCat("fold ", fold + 1, " leaves ", learning.size(),
                       " images to learn from; ", kLeastCases, " are needed"));
    }
    HILUM_ASSIGN_OR_RETURN(
        const std::vector<float> weights,
        Train(learning,
              absl::StrCat("fold ", fold + 1, " of ", options_.folds)));
    HILUM_ASSIGN_OR_RETURN(const OrientationNetwork network,
                           OrientationNetwork::Create(weights));
    for (const OrientationCase* c : held_out) {
      const CaseRow& row = manifest_.cases[c->index];
      images.push_back({ShowTurns(network, c->plane), row.label});
      const auto found = SurelyTurned(images.back().turns[0], false);
      if (!found) continue;
      out_ << "row " << row.row << ", " << row.file << ": looks "
           << NameOf(*found) << "\n";
    }
  }
  if (options_.folds > 0) {
    out_ << "by networks that had not seen the patient:\n";
    PrintShownImages(images, labels_, out_);
    out_ << std::flush;
  }
  return absl::OkStatus();
}

absl::Status Session::Write(const std::vector<float>& weights) {
  HILUM_ASSIGN_OR_RETURN(const std::string manifest, ReadFile(options_.data));
  metadata_["hilum.orientation.data_sha256"] = ToHex(Sha256Of(manifest));
  metadata_["hilum.orientation.seed"] = absl::StrCat(options_.seed);
  metadata_["hilum.orientation.epochs"] = absl::StrCat(options_.epochs);
  HILUM_ASSIGN_OR_RETURN(
      const std::string digest,
      WriteSafetensors(options_.out, OrientationArchitecture(), weights,
                       metadata_));
  out_ << options_.out << "\nsha256 " << ToHex(digest) << "\n";
  return absl::OkStatus();
}

absl::Status Session::Run() {
  HILUM_RETURN_IF_ERROR(ReadCases());
  OrientationLearner::SetThreads(options_.threads);
  HILUM_RETURN_IF_ERROR(Validate());
  Cases all;
  for (const OrientationCase& c : cases_) all.push_back(&c);
  HILUM_ASSIGN_OR_RETURN(const std::vector<float> weights, Train(all, "all"));
  return Write(weights);
}

}  // namespace

absl::Status TrainOrientation(const OrientationTraining& options, Clock& clock,
                              std::ostream& out) {
  HILUM_RETURN_IF_ERROR(CheckOptions(options));
  return Session(options, clock, out).Run();
}

}  // namespace hilum
