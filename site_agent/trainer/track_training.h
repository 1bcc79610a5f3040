// SPDX-License-Identifier: Apache-2.0
// One track's part of a task, on one module.
#ifndef HILUM_SITE_AGENT_TRAINER_TRACK_TRAINING_H_
#define HILUM_SITE_AGENT_TRAINER_TRACK_TRAINING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hilum/v1/trainer.pb.h"
#include "site_agent/trainer/case_inputs.h"
#include "site_agent/trainer/module.h"
#include "site_agent/trainer/prepared_study.h"

namespace hilum {

// What training one track in one round gives. A track of which `warning` says
// something has diverged: no examples, a delta of zeros.
struct TrainedTrack {
  std::vector<float> delta;  // [travelling_size]
  std::vector<float> local;  // [local_size], after training
  v1::TrackUpdate update;
  std::string warning;
};

// Trains a loaded module for the study's local epochs of `round`, from 1.
// `class_weights` [classes], or empty. `before`: what the module was loaded
// with. Where the study validates, that is tried first.
absl::Status TrainTrack(const PreparedStudy& study, const CaseInputs& inputs,
                        Module& module, size_t track, uint32_t round,
                        absl::Span<const double> class_weights,
                        absl::Span<const float> before, TrainedTrack& trained);

struct EvaluatedTrack {
  v1::TrackEvaluation evaluation;
  std::string predictions;  // rows of the CSV
};

// Tries a loaded module on a track's held-out cases. `model`: the CSV's column.
absl::Status EvaluateTrack(const PreparedStudy& study,
                           const CaseInputs& inputs, Module& module,
                           size_t track, absl::string_view model,
                           EvaluatedTrack& evaluated);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_TRACK_TRAINING_H_
