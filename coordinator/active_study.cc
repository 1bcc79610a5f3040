// SPDX-License-Identifier: Apache-2.0
#include "coordinator/active_study.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/fixed_point.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

template <typename Message>
std::set<SiteId> Keys(const std::map<SiteId, Message>& messages) {
  std::set<SiteId> keys;
  for (const auto& [site, message] : messages) keys.insert(site);
  return keys;
}

// Rounds and updates may be ahead of the phase: a full disk may have taken
// them and not yet the phase.
StudyMachine::Progress ProgressOf(const StoredStudy& stored) {
  std::set<SiteId> withdrawn;
  for (const auto& [site, census] : stored.census) {
    if (census.unable()) withdrawn.insert(site);
  }
  return {.committed_rounds = static_cast<uint32_t>(stored.rounds.size()),
          .census = Keys(stored.census),
          .withdrawn = std::move(withdrawn),
          .updates = Keys(stored.updates),
          .evaluations = Keys(stored.evaluations),
          .prepared = stored.phase >= v1::StudyStatus::TRAINING ||
                      !stored.rounds.empty() || !stored.updates.empty()};
}

absl::Status SizeIs(absl::string_view what, int64_t size, int64_t wanted) {
  if (size == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " has ", size, " entries, the study says ", wanted));
}

template <typename Counts>
uint64_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

}  // namespace

ActiveStudy::ActiveStudy(StoredStudy stored, v1::Study study,
                         ParameterLayout layout, absl::Time now)
    : stored_(std::move(stored)),
      study_(std::move(study)),
      layout_(std::move(layout)),
      tracks_(StudyTracks(study_)),
      machine_(study_, ProgressOf(stored_), now) {
  if (stored_.phase == v1::StudyStatus::COMPLETED) machine_.Complete();
  if (stored_.phase == v1::StudyStatus::STOPPED) machine_.Stop(stored_.reason);
}

absl::StatusOr<ActiveStudy> ActiveStudy::Create(StoredStudy stored,
                                                absl::Time now) {
  HILUM_ASSIGN_OR_RETURN(v1::Study study, ParseStudy(stored.study));
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(study));
  return ActiveStudy(std::move(stored), std::move(study), std::move(layout),
                     now);
}

bool ActiveStudy::HasSite(const SiteId& site) const {
  return std::binary_search(study_.sites().begin(), study_.sites().end(),
                            site.name());
}

uint64_t ActiveStudy::UpdateSize() const {
  return static_cast<uint64_t>(layout_.travelling_size) * tracks_.size() *
         sizeof(float);
}

v1::Header ActiveStudy::MakeHeader(uint32_t round) const {
  v1::Header header;
  header.set_protocol_version(kProtocolVersion);
  header.set_study_hash(stored_.hash);
  header.set_round(round);
  return header;
}

v1::Task ActiveStudy::MakeTask(v1::Task::Kind kind) const {
  v1::Task task;
  uint32_t round = kind == v1::Task::PREPARE ? 0 : machine_.round();
  *task.mutable_header() = MakeHeader(round);
  task.set_kind(kind);
  if (kind == v1::Task::PREPARE) return task;
  if (stored_.frozen.size() > 0) *task.mutable_frozen() = stored_.frozen;
  *task.mutable_global() = stored_.global;
  if (kind == v1::Task::TRAIN && study_.training().class_weights() ==
                                     v1::Training::CLASS_WEIGHTS_BALANCED) {
    std::vector<double> weights = ClassWeights();
    task.mutable_class_weights()->Add(weights.begin(), weights.end());
  }
  return task;
}

v1::StudyStatus ActiveStudy::Status() const {
  v1::StudyStatus status;
  status.set_study_hash(stored_.hash);
  status.set_name(study_.name());
  status.set_phase(machine_.phase());
  status.set_round(Ended() ? static_cast<uint32_t>(stored_.rounds.size())
                           : machine_.round());
  status.set_rounds(study_.training().rounds());
  status.set_reason(machine_.reason());
  if (!stored_.rounds.empty()) {
    double sum = 0;
    int trained = 0;
    for (double loss : stored_.rounds.back().mean_loss) {
      if (std::isnan(loss)) continue;
      sum += loss;
      ++trained;
    }
    if (trained > 0) status.set_mean_loss(sum / trained);
  }
  if (!Ended()) {
    for (const SiteId& site : machine_.waiting()) {
      status.add_waiting_for(site.name());
    }
  }
  return status;
}

std::vector<double> ActiveStudy::ClassWeights() const {
  const int classes = study_.classes_size();
  const int folds = static_cast<int>(study_.cross_validation().folds());
  std::vector<double> weights;
  for (const Track& track : tracks_) {
    int arm = static_cast<int>(
        std::find(study_.arms().begin(), study_.arms().end(), track.arm) -
        study_.arms().begin());
    std::vector<uint64_t> counts(static_cast<size_t>(classes));
    for (const auto& [site, census] : stored_.census) {
      for (int fold = 0; fold < folds; ++fold) {
        if (fold == track.fold) continue;
        for (int c = 0; c < classes; ++c) {
          counts[static_cast<size_t>(c)] +=
              census.arms(arm).fold_class_counts(fold * classes + c);
        }
      }
    }
    double total = static_cast<double>(Sum(counts));
    for (uint64_t count : counts) {
      weights.push_back(
          count == 0 ? 0 : total / (classes * static_cast<double>(count)));
    }
  }
  return weights;
}

absl::Status ActiveStudy::CheckCensus(
    const v1::SubmitCensusRequest& census) const {
  if (census.manifest_sha256() != layout_.manifest_sha256) {
    return absl::InvalidArgumentError(
        absl::StrCat("the site's network (tensor manifest ",
                     ToHex(census.manifest_sha256()).substr(0, 12),
                     ") is not the study's ", layout_.architecture.name, " (",
                     ToHex(layout_.manifest_sha256).substr(0, 12),
                     "); are site and coordinator of one version?"));
  }
  HILUM_RETURN_IF_ERROR(
      SizeIs("census: arms", census.arms_size(), study_.arms_size()));
  int64_t cells =
      int64_t{study_.cross_validation().folds()} * study_.classes_size();
  for (const v1::ArmCensus& arm : census.arms()) {
    HILUM_RETURN_IF_ERROR(SizeIs("census: fold_class_counts",
                                 arm.fold_class_counts_size(), cells));
    for (uint64_t count : arm.fold_class_counts()) {
      if (count > (1u << 24)) {
        return absl::InvalidArgumentError("census: over 2^24 cases in a cell");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status ActiveStudy::CheckUpdate(
    const v1::SubmitUpdateRequest& update) const {
  HILUM_RETURN_IF_ERROR(
      SizeIs("update: tracks", update.tracks_size(), num_tracks()));
  if (update.update().size() != UpdateSize()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the update has ", update.update().size(),
                     " bytes, the study's has ", UpdateSize()));
  }
  for (const v1::TrackUpdate& track : update.tracks()) {
    if (track.num_examples() > (1u << 24) || !std::isfinite(track.loss_sum())) {
      return absl::InvalidArgumentError(
          "update: num_examples over 2^24, or a loss that is not a number");
    }
  }
  return absl::OkStatus();
}

absl::Status ActiveStudy::CheckEvaluation(
    const v1::SubmitEvaluationRequest& evaluation) const {
  std::vector<uint32_t> held_out;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (!tracks_[i].IsFinal()) held_out.push_back(static_cast<uint32_t>(i));
  }
  HILUM_RETURN_IF_ERROR(SizeIs("evaluation: tracks", evaluation.tracks_size(),
                               static_cast<int64_t>(held_out.size())));
  const int classes = study_.classes_size();
  const int64_t bins = study_.evaluation().score_bins();
  for (int i = 0; i < evaluation.tracks_size(); ++i) {
    const v1::TrackEvaluation& track = evaluation.tracks(i);
    if (track.track() != held_out[static_cast<size_t>(i)] ||
        !std::isfinite(track.loss_sum())) {
      return absl::InvalidArgumentError(
          "evaluation: a track out of order, or a loss that is not a number");
    }
    HILUM_RETURN_IF_ERROR(SizeIs("evaluation: confusion",
                                 track.confusion_size(), classes * classes));
    HILUM_RETURN_IF_ERROR(
        SizeIs("evaluation: classes", track.classes_size(), classes));
    uint64_t cases = Sum(track.confusion());
    for (int c = 0; c < classes; ++c) {
      const v1::ScoreHistogram& scores = track.classes(c);
      HILUM_RETURN_IF_ERROR(
          SizeIs("evaluation: positives", scores.positives_size(), bins));
      HILUM_RETURN_IF_ERROR(
          SizeIs("evaluation: negatives", scores.negatives_size(), bins));
      auto row = track.confusion().begin() + c * classes;
      uint64_t positives = std::accumulate(row, row + classes, uint64_t{0});
      if (Sum(scores.positives()) != positives ||
          Sum(scores.negatives()) != cases - positives) {
        return absl::InvalidArgumentError(
            "evaluation: histograms and confusion counts disagree");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status ActiveStudy::BadElement(int64_t element) const {
  const int64_t size = layout_.travelling_size;
  return absl::InvalidArgumentError(absl::StrCat(
      "update: track ", element / size, ", element ", element % size,
      " is NaN, infinite or over ", kMaxAbsDelta,
      "; training diverged: lower the learning rate or set a clipping norm"));
}

RoundSummary ActiveStudy::Summarise() const {
  RoundSummary summary{.round = machine_.round()};
  for (const SiteId& site : machine_.answered()) {
    summary.contributors.push_back(site);
  }
  for (int t = 0; t < num_tracks(); ++t) {
    double loss = 0;
    uint64_t examples = 0;
    for (const auto& [site, update] : stored_.updates) {
      loss += update.tracks(t).loss_sum();
      examples += update.tracks(t).num_examples();
    }
    summary.mean_loss.push_back(examples == 0
                                    ? std::numeric_limits<double>::quiet_NaN()
                                    : loss / static_cast<double>(examples));
  }
  return summary;
}

}  // namespace hilum
