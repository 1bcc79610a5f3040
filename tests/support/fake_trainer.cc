// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_trainer.h"

#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/config/track_choice.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

constexpr uint64_t kCases = 10;
constexpr uint64_t kTried = 4;
constexpr uint64_t kValidating = 10;  // patients of a fold
constexpr uint64_t kRejectedMasks = 3;

// Writes the study's name in place of a real trainer's file; an empty path: no
// file.
absl::Status WriteName(const v1::Study& study, const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  return WriteFileAtomically(path, study.name(), Durability::kNone, 0600);
}

// Fills in overlaps of kCases of each class, each of another patient.
void FillOverlaps(int classes, v1::TrackEvaluation& track) {
  for (int c = 0; c <= classes; ++c) {
    v1::Overlap& overlap = *track.add_overlaps();
    const uint64_t cases =
        kCases * static_cast<uint64_t>(c < classes ? 1 : classes);
    const double n = static_cast<double>(cases);
    overlap.set_cases(cases);
    overlap.set_patients(cases);
    overlap.set_dice_sum(0.9 * n);
    overlap.set_dice_square_sum(0.82 * n);
    overlap.set_iou_sum(0.8 * n);
    overlap.set_iou_square_sum(0.66 * n);
  }
}

}  // namespace

absl::StatusOr<v1::PrepareResponse> FakeTrainer::Prepare(
    const v1::PrepareRequest& request) {
  HILUM_ASSIGN_OR_RETURN(study_, ParseStudy(request.study()));
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(study_));
  std::vector<float> delta(static_cast<size_t>(layout.travelling_size) *
                           StudyTracks(study_).size());
  Rng rng(study_.seed(), request.site());
  for (float& value : delta) value = static_cast<float>(rng.Uniform()) * 1e-3f;
  delta_ = std::string(BlobBytes(delta));
  v1::PrepareResponse response;
  response.set_manifest_sha256(layout.manifest_sha256);
  int cells = static_cast<int>(study_.cross_validation().folds()) *
              study_.classes_size();
  for (int arm = 0; arm < study_.arms_size(); ++arm) {
    v1::ArmCensus* census = response.add_arms();
    for (int i = 0; i < cells; ++i) census->add_fold_class_counts(kCases);
    const uint32_t folds = study_.cross_validation().folds();
    for (uint32_t f = 0; IsValidated(study_) && f < folds; ++f) {
      census->add_fold_validation_patients(kValidating);
    }
  }
  FillFingerprints(study_.classes_size(), response);
  response.set_rejected_masks(0, kRejectedMasks);
  response.set_rows(kCases * static_cast<uint64_t>(cells));
  if (!request.notes_dir().empty()) {
    HILUM_RETURN_IF_ERROR(
        WriteName(study_, absl::StrCat(request.notes_dir(), "/rejected.csv")));
  }
  return response;
}

absl::StatusOr<v1::TrainResponse> FakeTrainer::Train(
    const v1::TrainRequest& request) {
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(request.delta_path(), delta_,
                                            Durability::kNone, 0600));
  v1::TrainResponse response;
  for (size_t t = 0; t < StudyTracks(study_).size(); ++t) {
    v1::TrackUpdate* track = response.add_tracks();
    if (IsStopped(request.choices(), t)) continue;
    track->set_num_examples(kCases);
    track->set_loss_sum(static_cast<double>(kCases));
    if (!IsValidated(study_)) continue;
    const double loss =
        1 + 0.25 * std::abs(static_cast<int>(request.round()) - 3);
    track->set_validation_examples(kTried);
    track->set_validation_loss_sum(loss * static_cast<double>(kTried));
  }
  return response;
}

absl::StatusOr<v1::EvaluateResponse> FakeTrainer::Evaluate(
    const v1::EvaluateRequest& request) {
  HILUM_RETURN_IF_ERROR(WriteName(study_, request.predictions_path()));
  const int classes = study_.classes_size();
  const int bins = static_cast<int>(study_.evaluation().score_bins());
  v1::EvaluateResponse response;
  std::vector<Track> tracks = StudyTracks(study_);
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (tracks[t].IsFinal()) continue;
    v1::TrackEvaluation* track = response.add_tracks();
    track->set_track(static_cast<uint32_t>(t));
    if (IsSegmentation(study_)) {
      FillOverlaps(classes, *track);
      continue;
    }
    for (int i = 0; i < classes * classes; ++i) {
      track->add_confusion(i % (classes + 1) == 0 ? kCases : 0);
    }
    if (study_.evaluation().localization()) {
      track->set_mapped(kCases);
      track->set_map_in_lungs_sum(0.75 * static_cast<double>(kCases));
      track->set_lung_share_sum(0.5 * static_cast<double>(kCases));
    }
    for (int c = 0; c < classes; ++c) {
      v1::ScoreHistogram* scores = track->add_classes();
      for (int b = 0; b < bins; ++b) {
        scores->add_positives(b == bins - 1 ? kCases : 0);
        scores->add_negatives(
            b == 0 ? kCases * static_cast<uint64_t>(classes - 1) : 0);
      }
    }
  }
  return response;
}

}  // namespace hilum
