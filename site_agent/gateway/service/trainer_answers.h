// SPDX-License-Identifier: Apache-2.0
// Judges a trainer's answers: an attacker may control the trainer.
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_ANSWERS_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_ANSWERS_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/repeated_field.h"

namespace hilum {

inline constexpr size_t kMaxTrainerText = 1000;  // bytes, printable
inline constexpr int kMaxTrainerWarnings = 100;  // of one answer

// Returns the status of the task from the status in a trainer's answer. A
// trainer cannot choose its code: UNAVAILABLE (its process has died) and
// RESOURCE_EXHAUSTED (its disk is full) stay, every other error becomes
// ABORTED. The text is cut and made printable.
absl::Status JudgeTrainerStatus(const absl::Status& said);

// Cuts each text and their number, and says how many were left out.
void BoundWarnings(google::protobuf::RepeatedPtrField<std::string>& warnings);

// Copies at most `max_bytes` of the file `from` to a new file at `to`, and
// removes `from`. The trainer may still write to `from` or replace it. OK if
// there is no such file. DATA_LOSS: it is not a plain file, or is longer.
// Otherwise errors of ErrnoStatus.
absl::Status TakeTrainersFile(const std::string& from, const std::string& to,
                              uint64_t max_bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_ANSWERS_H_
