// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/track_round.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/data/steps.h"
#include "site_agent/trainer/learning/schedule.h"

namespace hilum {
namespace {

// The epochs of one round. Life: Run, once.
class LocalEpochs {
 public:
  // `batch_size` >= 1.
  LocalEpochs(const PreparedStudy& study, const Track& track, uint32_t round,
              std::vector<size_t> cases, size_t batch_size)
      : rules_(study.study.training()),
        track_(track),
        round_(round),
        cases_(std::move(cases)),
        batch_size_(batch_size),
        steps_(StepsOfEpoch(study.study, cases_.size(), batch_size)),
        shuffle_(study.MakeRng("shuffle", track, round)) {}

  // Returns the sum of losses of the last epoch.
  absl::StatusOr<double> Run(const TrackWork& work) {
    double loss = 0;
    for (uint32_t epoch = 0; epoch < rules_.local_epochs(); ++epoch) {
      shuffle_.Shuffle(cases_);
      loss = 0;
      for (size_t step = 0; step < steps_; ++step) {
        absl::StatusOr<double> sum = work.step(StepAt(epoch, step));
        if (!sum.ok()) {
          return absl::Status(
              sum.status().code(),
              absl::StrCat("track ", ArmTrackName(track_), ", local epoch ",
                           epoch + 1, ": ", sum.status().message()));
        }
        loss += *sum;
      }
    }
    return loss;
  }

  // Returns how many cases an epoch's steps take.
  size_t num_examples() const {
    return std::min(cases_.size(), steps_ * batch_size_);
  }

 private:
  TrackStep StepAt(uint32_t epoch, size_t step) const {
    return {
        .cases = absl::Span<const size_t>(cases_).subspan(step * batch_size_,
                                                          batch_size_),
        .epochs_before = uint64_t{round_ - 1} * rules_.local_epochs() + epoch,
        .rate_factor = StepRateFactor(rules_, {round_, epoch, step, steps_})};
  }

  const v1::Training& rules_;
  const Track& track_;
  const uint32_t round_;
  std::vector<size_t> cases_;
  const size_t batch_size_;
  const size_t steps_;  // in an epoch
  Rng shuffle_;
};

absl::Status Validate(const PreparedStudy& study, const Track& track,
                      const TrackWork& work, v1::TrackUpdate& update) {
  const std::vector<size_t> cases = study.CasesOf(track, Part::kValidation);
  HILUM_ASSIGN_OR_RETURN(const double loss, work.validate(cases));
  if (!std::isfinite(loss)) return absl::OkStatus();  // left unset
  update.set_validation_examples(cases.size());
  update.set_validation_loss_sum(loss);
  return absl::OkStatus();
}

}  // namespace

absl::Status TrainOneTrack(const PreparedStudy& study, size_t track_index,
                           uint32_t round, absl::Span<const float> before,
                           const TrackWork& work, TrainedTrack& trained) {
  const Track& track = study.tracks[track_index];
  trained = TrainedTrack();
  std::vector<size_t> cases = study.CasesOf(track, Part::kTraining);
  const size_t batch_size = study.BatchSizeOf(cases.size());
  if (batch_size == 0) {
    LeaveOut(before.size(), trained);
    return absl::OkStatus();
  }
  if (IsValidated(study.study)) {
    HILUM_RETURN_IF_ERROR(Validate(study, track, work, trained.update));
  }
  LocalEpochs epochs(study, track, round, std::move(cases), batch_size);
  const absl::StatusOr<double> loss = epochs.Run(work);
  absl::Status status = loss.status();
  if (status.ok()) {
    absl::StatusOr<std::vector<float>> after = work.travelling();
    status = after.status();
    if (status.ok()) trained.delta = *std::move(after);
  }
  if (absl::IsOutOfRange(status)) {
    Withhold(before.size(), status, trained);
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(status);
  trained.update.set_num_examples(epochs.num_examples());
  trained.update.set_loss_sum(*loss);
  for (size_t i = 0; i < before.size(); ++i) trained.delta[i] -= before[i];
  return absl::OkStatus();
}

}  // namespace hilum
