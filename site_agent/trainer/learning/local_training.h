// SPDX-License-Identifier: Apache-2.0
// What commands share that train a network here, from a manifest into a file.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_TRAINING_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_TRAINING_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Before the time is spent. INVALID_ARGUMENT: not named .safetensors.
// NOT_FOUND: no such folder.
absl::Status CheckWeightsPath(const std::string& path);

// 56 bits of SHA-256 of purpose, seed and patient, by which patients are dealt:
// the other patients have no say in it.
uint64_t PatientBits(absl::string_view purpose, uint64_t seed,
                     absl::string_view patient_id);

// AdamW, a rate that warms up for an epoch and then falls by half a cosine to a
// hundredth, gradients clipped to a norm of 1. A round is an epoch.
v1::Training OneCycle(int epochs, double rate, double weight_decay);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_TRAINING_H_
