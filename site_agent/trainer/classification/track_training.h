// SPDX-License-Identifier: Apache-2.0
// One track's part of a task, on one module.
#ifndef HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_TRACK_TRAINING_H_
#define HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_TRACK_TRAINING_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/trainer/classification/case_inputs.h"
#include "site_agent/trainer/classification/module.h"
#include "site_agent/trainer/data/prepared_study.h"
#include "site_agent/trainer/learning/track_output.h"

namespace hilum {

// Trains a loaded module for the study's local epochs of `round`, from 1.
// `class_weights` [classes], or empty. `before`: what the module was loaded
// with. Where the study validates, that is tried first. With too few cases for
// the site's minimum_steps (BatchSizeFor) the track is left out.
absl::Status TrainTrack(const PreparedStudy& study, const CaseInputs& inputs,
                        Module& module, size_t track, uint32_t round,
                        absl::Span<const double> class_weights,
                        absl::Span<const float> before, TrainedTrack& trained);

// Tries a loaded module on a track's held-out cases. `model`: the CSV's column.
absl::Status EvaluateTrack(const PreparedStudy& study, const CaseInputs& inputs,
                           Module& module, size_t track,
                           absl::string_view model, EvaluatedTrack& evaluated);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_TRACK_TRAINING_H_
