// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/track_round.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/step_plan.h"
#include "site_agent/trainer/data/steps.h"
#include "site_agent/trainer/learning/schedule.h"

namespace hilum {
namespace {

// The steps of one round, and what they have taken.
struct Taken {
  double loss = 0;        // sum over the examples
  uint64_t examples = 0;  // each case once
  uint64_t steps = 0;
};

absl::Status Named(const Track& track, absl::string_view part, uint64_t number,
                   const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("track ", ArmTrackName(track), ", local ",
                                   part, " ", number, ": ", status.message()));
}

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

  // Returns the loss of the last epoch, and its cases.
  absl::StatusOr<Taken> Run(const TrackWork& work) {
    Taken taken{.examples = std::min(cases_.size(), steps_ * batch_size_),
                .steps = rules_.local_epochs() * steps_};
    for (uint32_t epoch = 0; epoch < rules_.local_epochs(); ++epoch) {
      shuffle_.Shuffle(cases_);
      taken.loss = 0;
      for (size_t step = 0; step < steps_; ++step) {
        absl::StatusOr<double> sum = work.step(StepAt(epoch, step));
        if (!sum.ok()) return Named(track_, "epoch", epoch + 1, sum.status());
        taken.loss += *sum;
      }
    }
    return taken;
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

// The steps of one round of a study with local_steps. Life: Run, once.
class LocalSteps {
 public:
  // `cases` is not empty.
  LocalSteps(const PreparedStudy& study, const Track& track,
             const TrackRound& at, std::vector<size_t> cases)
      : study_(study),
        track_(track),
        round_(at.round),
        steps_(StepsOfCohortEpoch(study.study, at.total_examples)),
        cases_(std::move(cases)) {}

  absl::StatusOr<Taken> Run(const TrackWork& work) {
    const v1::Training& rules = study_.study.training();
    Taken taken{.steps = rules.local_steps()};
    for (uint32_t step = 0; step < rules.local_steps(); ++step) {
      const uint64_t done = uint64_t{round_ - 1} * rules.local_steps() + step;
      const TrackStep at{
          .cases = PartAt(done),
          .epochs_before = done / steps_,
          .rate_factor = StepRateFactor(
              rules, {round_, 0, step, size_t{rules.local_steps()}})};
      absl::StatusOr<double> sum = work.step(at);
      if (!sum.ok()) return Named(track_, "step", step + 1, sum.status());
      taken.loss += *sum;
      taken.examples += at.cases.size();
    }
    if (taken.examples > cases_.size()) {
      taken.loss *= static_cast<double>(cases_.size()) /
                    static_cast<double>(taken.examples);
      taken.examples = cases_.size();
    }
    return taken;
  }

 private:
  // Returns the cases of the study's step `done`, from 0. The order of an epoch
  // depends on nothing before it.
  absl::Span<const size_t> PartAt(uint64_t done) {
    const uint64_t epoch = done / steps_;
    if (order_.empty() || epoch != epoch_) {
      order_ = cases_;
      epoch_ = epoch;
      study_.MakeRng("steps", track_, static_cast<uint32_t>(epoch))
          .Shuffle(order_);
    }
    const CasePart part = PartOfStep(order_.size(), done % steps_, steps_);
    return absl::Span<const size_t>(order_).subspan(part.first, part.size);
  }

  const PreparedStudy& study_;
  const Track& track_;
  const uint32_t round_;
  const uint64_t steps_;  // in an epoch
  const std::vector<size_t> cases_;
  std::vector<size_t> order_;
  uint64_t epoch_ = 0;  // of order_
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

absl::StatusOr<Taken> TakeSteps(const PreparedStudy& study,
                                const TrackRound& at, std::vector<size_t> cases,
                                size_t batch_size, const TrackWork& work) {
  const Track& track = study.tracks[at.track];
  if (HasLocalSteps(study.study)) {
    return LocalSteps(study, track, at, std::move(cases)).Run(work);
  }
  return LocalEpochs(study, track, at.round, std::move(cases), batch_size)
      .Run(work);
}

}  // namespace

absl::Status TrainOneTrack(const PreparedStudy& study, const TrackRound& at,
                           absl::Span<const float> before,
                           const TrackWork& work, TrainedTrack& trained) {
  const Track& track = study.tracks[at.track];
  trained = TrainedTrack();
  std::vector<size_t> cases = study.CasesOf(track, Part::kTraining);
  const size_t batch_size = study.BatchSizeOf(cases.size());
  const bool too_few_sites =
      HasLocalSteps(study.study) && at.total_examples == 0;
  if (batch_size == 0 || too_few_sites) {
    LeaveOut(before.size(), trained);
    return absl::OkStatus();
  }
  if (IsValidated(study.study)) {
    HILUM_RETURN_IF_ERROR(Validate(study, track, work, trained.update));
  }
  const absl::StatusOr<Taken> taken =
      TakeSteps(study, at, std::move(cases), batch_size, work);
  absl::Status status = taken.status();
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
  trained.update.set_num_examples(taken->examples);
  trained.update.set_loss_sum(taken->loss);
  trained.update.set_steps(taken->steps);
  for (size_t i = 0; i < before.size(); ++i) trained.delta[i] -= before[i];
  return absl::OkStatus();
}

}  // namespace hilum
