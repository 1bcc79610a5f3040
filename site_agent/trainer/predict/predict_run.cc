// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predict_run.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/cli/progress.h"
#include "common/cli/usage.h"
#include "site_agent/trainer/data/augment.h"
#include "site_agent/trainer/data/case_list.h"
#include "site_agent/trainer/learning/network_pool.h"
#include "site_agent/trainer/predict/ensemble.h"
#include "site_agent/trainer/predict/predict_case.h"
#include "site_agent/trainer/predict/predictions_file.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"

namespace hilum {
namespace {

// Cases that go through the networks together. It does not depend on the
// threads, since the last bits depend on it.
constexpr size_t kChunk = 8;
constexpr size_t kChunkOfGpu = 64;

// Reach of the views beside the case itself: differences as between two films
// of one patient.
v1::Augmentation ReachOfViews() {
  v1::Augmentation reach;
  reach.set_rotation_degrees(3);
  reach.set_shift(0.02);
  reach.set_scale(0.03);
  reach.set_intensity(0);
  reach.set_gamma(0);
  return reach;
}

// The networks of one thread.
struct Predictor {
  std::unique_ptr<Ensemble> models;
  std::unique_ptr<Segmenter> lungs;  // null: none are found

  static void SetThreads(int threads) { Ensemble::SetThreads(threads); }

  LungFinder Finder() {
    if (lungs == nullptr) return nullptr;
    return [this](const GrayImage& image) {
      return SegmentImage(*lungs, image, {});
    };
  }
};

struct Chunk {
  std::vector<Prediction> predictions;
  std::vector<bool> failed;
};

absl::StatusOr<bool> IsSegmented(const PredictOptions& options,
                                 const std::string& models,
                                 std::ostream& errors) {
  const std::string arm = options.arm.empty() ? models : options.arm;
  if (arm.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.models[0],
        ": it does not say its arm; give --arm whole or segmented"));
  }
  if (arm != "whole" && arm != "segmented") {
    return UsageError("--arm: whole or segmented");
  }
  if (!models.empty() && arm != models) {
    errors << "warning: the model was trained on images of the arm " << models
           << ", and --arm shows it those of " << arm << "\n";
  }
  return arm == "segmented";
}

// Everything that the chunks share.
class Run {
 public:
  Run(const PredictOptions& options, const std::vector<ListedCase>& cases,
      const ModelFacts& facts, bool segmented, bool each_model)
      : cases_(cases),
        facts_(facts),
        views_(options.views),
        each_model_(each_model),
        reader_(cases, facts,
                {.segmented = segmented, .every_case = options.every_case}) {}

  absl::Status Make(Predictor& predictor, size_t first, size_t count,
                    Chunk& out) const;

 private:
  // Adds the models' probabilities for the planes of one view.
  absl::Status AddView(Predictor& predictor, int view,
                       const std::vector<const Plane*>& planes,
                       std::vector<std::vector<double>>& sums) const;

  const std::vector<ListedCase>& cases_;
  const ModelFacts& facts_;
  const int views_;
  const bool each_model_;
  const CaseReader reader_;
};

absl::Status Run::AddView(Predictor& predictor, int view,
                          const std::vector<const Plane*>& planes,
                          std::vector<std::vector<double>>& sums) const {
  std::vector<float> pixels;
  for (const Plane* plane : planes) {
    if (view == 0) {
      AppendPlane(*plane, pixels);
      continue;
    }
    Rng rng(static_cast<uint64_t>(view), "predict views");
    AppendAugmented(*plane, facts_.input_size, ReachOfViews(), rng, pixels);
  }
  HILUM_ASSIGN_OR_RETURN(const auto probabilities,
                         predictor.models->Predict(pixels));
  sums.resize(probabilities.size());
  for (size_t m = 0; m < probabilities.size(); ++m) {
    sums[m].resize(probabilities[m].size());
    for (size_t i = 0; i < sums[m].size(); ++i) {
      sums[m][i] += probabilities[m][i];
    }
  }
  return absl::OkStatus();
}

absl::Status Run::Make(Predictor& predictor, size_t first, size_t count,
                       Chunk& out) const {
  out.predictions.assign(count, {});
  out.failed.assign(count, false);
  std::vector<ReadCase> read;
  std::vector<const Plane*> planes;
  for (size_t i = 0; i < count; ++i) {
    const ListedCase& one = cases_[first + i];
    read.push_back(reader_.Read(one, predictor.Finder()));
    Prediction& prediction = out.predictions[i];
    prediction.id = one.id;
    prediction.file = one.file;
    prediction.sop_instance = read.back().sop_instance;
    prediction.abstained = read.back().abstained;
    out.failed[i] = read.back().failed;
  }
  for (const ReadCase& one : read) {
    if (!one.plane.empty()) planes.push_back(&one.plane);
  }
  if (planes.empty()) return absl::OkStatus();
  std::vector<std::vector<double>> sums;  // [models][planes * classes]
  for (int view = 0; view < views_; ++view) {
    HILUM_RETURN_IF_ERROR(AddView(predictor, view, planes, sums));
  }
  const size_t classes = facts_.classes.size();
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    if (read[i].plane.empty()) continue;
    Prediction& prediction = out.predictions[i];
    prediction.probabilities.assign(classes, 0);
    for (const std::vector<double>& of_model : sums) {
      std::vector<double> own;
      for (size_t c = 0; c < classes; ++c) {
        own.push_back(of_model[at + c] / views_);
        prediction.probabilities[c] +=
            own[c] / static_cast<double>(sums.size());
      }
      if (each_model_) prediction.of_models.push_back(std::move(own));
    }
    at += classes;
  }
  return absl::OkStatus();
}

// Counts the reasons by their first words, which come before a colon.
class Counts {
 public:
  void Add(const Prediction& prediction, bool failed) {
    ++cases_;
    failed_ += failed;
    if (prediction.abstained.empty()) return;
    ++reasons_[prediction.abstained.substr(0, prediction.abstained.find(':'))];
  }
  void Print(const std::string& path, std::ostream& out) const {
    int without = 0;
    std::vector<std::string> parts;
    for (const auto& [reason, count] : reasons_) {
      without += count;
      parts.push_back(absl::StrCat(count, " ", reason));
    }
    out << cases_ << " cases: " << cases_ - without << " predicted";
    if (without > 0) {
      out << ", " << without
          << " without an answer: " << absl::StrJoin(parts, ", ");
    }
    out << "; " << path << std::endl;
  }
  absl::Status CheckNoneFailed(const std::string& path) const {
    if (failed_ == 0) return absl::OkStatus();
    return absl::UnknownError(
        absl::StrCat(failed_, " of ", cases_,
                     " cases could not be read; the column abstained of ", path,
                     " says why"));
  }

 private:
  int cases_ = 0, failed_ = 0;
  std::map<std::string, int> reasons_;
};

absl::Status CheckPlace(const PredictOptions& options) {
  if (options.force || !FileExists(options.out)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat(options.out, ": exists; --force replaces it"));
}

absl::StatusOr<std::unique_ptr<Predictor>> MakePredictor(
    std::unique_ptr<Ensemble> models, const PredictOptions& options) {
  auto predictor = std::make_unique<Predictor>();
  predictor->models = std::move(models);
  if (!options.lungs_weights.empty()) {
    HILUM_ASSIGN_OR_RETURN(predictor->lungs,
                           LoadSegmenter(options.lungs_weights));
  }
  return predictor;
}

// Fills the pool with a network for each thread, or one on a GPU.
absl::Status FillPool(std::unique_ptr<Ensemble> models, int threads,
                      const PredictOptions& options,
                      NetworkPool<Predictor>& pool) {
  for (int i = 1; i < threads; ++i) {
    HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Ensemble> sibling,
                           models->CreateSibling());
    HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Predictor> predictor,
                           MakePredictor(std::move(sibling), options));
    pool.Add(std::move(predictor));
  }
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Predictor> first,
                         MakePredictor(std::move(models), options));
  pool.Add(std::move(first));
  return absl::OkStatus();
}

}  // namespace

absl::Status Predict(const PredictOptions& options, std::ostream& out,
                     std::ostream& errors) {
  HILUM_RETURN_IF_ERROR(CheckPlace(options));
  HILUM_ASSIGN_OR_RETURN(const ComputeDevice device,
                         FindDevice(options.device));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Ensemble> models,
                         Ensemble::Open(options.models, {.notes = options.notes,
                                                         .device = device}));
  const ModelFacts facts = models->facts();
  HILUM_ASSIGN_OR_RETURN(const bool segmented,
                         IsSegmented(options, facts.arm, errors));
  HILUM_ASSIGN_OR_RETURN(const std::vector<ListedCase> cases,
                         ListCases(options.data));
  PredictionsFormat format{.classes = facts.classes, .models = {}};
  if (options.each_model) format.models = models->names();
  HILUM_ASSIGN_OR_RETURN(const std::unique_ptr<PredictionsFile> file,
                         PredictionsFile::Create(options.out, format));
  const size_t chunk = device.cuda ? kChunkOfGpu : kChunk;
  const size_t chunks = (cases.size() + chunk - 1) / chunk;
  const int side_by_side =
      device.cuda ? 1
                  : static_cast<int>(std::min<size_t>(
                        static_cast<size_t>(options.threads), chunks));
  NetworkPool<Predictor> pool;
  HILUM_RETURN_IF_ERROR(
      FillPool(std::move(models), side_by_side, options, pool));
  const Run run(options, cases, facts, segmented, options.each_model);
  std::optional<Progress> progress;
  if (options.progress) {
    progress.emplace("Cases", static_cast<int64_t>(cases.size()), RealClock());
  }
  Counts counts;
  HILUM_RETURN_IF_ERROR(pool.ForEach<Chunk>(
      static_cast<int64_t>(chunks), side_by_side, 1,
      [&](Predictor& predictor, int64_t i, Chunk& made) {
        const size_t first = static_cast<size_t>(i) * chunk;
        return run.Make(predictor, first, std::min(chunk, cases.size() - first),
                        made);
      },
      [&](int64_t i, Chunk& made) -> absl::Status {
        for (size_t k = 0; k < made.predictions.size(); ++k) {
          HILUM_RETURN_IF_ERROR(file->Add(made.predictions[k]));
          counts.Add(made.predictions[k], made.failed[k]);
        }
        if (progress.has_value()) {
          progress->Report(
              std::min<int64_t>((i + 1) * static_cast<int64_t>(chunk),
                                static_cast<int64_t>(cases.size())));
        }
        return absl::OkStatus();
      }));
  HILUM_RETURN_IF_ERROR(file->Finish());
  if (progress.has_value()) progress->Finish();
  counts.Print(options.out, out);
  return counts.CheckNoneFailed(options.out);
}

}  // namespace hilum
