// SPDX-License-Identifier: Apache-2.0
// Trains or evaluates one track with one module.
#ifndef HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_TRACK_TRAINING_H_
#define HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_TRACK_TRAINING_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/trainer/classification/case_inputs.h"
#include "site_agent/trainer/classification/module.h"
#include "site_agent/trainer/data/prepared_study.h"
#include "site_agent/trainer/learning/track_output.h"
#include "site_agent/trainer/learning/track_round.h"

namespace hilum {

// Trains a loaded module for the round's local epochs or steps of a track.
// `class_weights` [classes], or empty. `before`: the parameters that the module
// was loaded with. A study with validation evaluates `before` first. Leaves the
// track out where it has too few cases (TrainOneTrack).
absl::Status TrainTrack(const PreparedStudy& study, const CaseInputs& inputs,
                        Module& module, const TrackRound& at,
                        absl::Span<const double> class_weights,
                        absl::Span<const float> before, TrainedTrack& trained);

// Evaluates a loaded module on a track's held-out cases. `model`: the CSV's
// column.
absl::Status EvaluateTrack(const PreparedStudy& study, const CaseInputs& inputs,
                           Module& module, size_t track,
                           absl::string_view model, EvaluatedTrack& evaluated);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_TRACK_TRAINING_H_
