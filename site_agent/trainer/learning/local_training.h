// SPDX-License-Identifier: Apache-2.0
// Shared by the commands that train a network locally, from a manifest to a
// file.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_TRAINING_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_TRAINING_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Checks the output path; call before training. INVALID_ARGUMENT: not named
// .safetensors. NOT_FOUND: no such folder.
absl::Status CheckWeightsPath(const std::string& path);

// Returns 56 bits of SHA-256 of purpose, seed and patient. Patients are dealt
// by them, so that one patient's place does not depend on the others.
uint64_t PatientBits(absl::string_view purpose, uint64_t seed,
                     absl::string_view patient_id);

// Returns AdamW with a rate that warms up for an epoch and then falls by half a
// cosine to a hundredth, and gradients clipped to a norm of 1. A round is an
// epoch.
v1::Training OneCycle(int epochs, double rate, double weight_decay);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_TRAINING_H_
