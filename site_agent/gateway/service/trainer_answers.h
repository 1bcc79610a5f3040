// SPDX-License-Identifier: Apache-2.0
// What the gateway makes of a trainer's answers, which may be those of somebody
// who has taken it over.
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_ANSWERS_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_ANSWERS_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/repeated_field.h"

namespace hilum {

inline constexpr size_t kMaxTrainerText = 1000;  // bytes, printable
inline constexpr int kMaxTrainerWarnings = 100;  // of one answer

// Returns what a trainer's answer means for its task. A code is not the
// trainer's to choose: UNAVAILABLE (its process has died) and
// RESOURCE_EXHAUSTED (its disk is full) stay, every other error is ABORTED. The
// text is cut and made printable.
absl::Status JudgeTrainerStatus(const absl::Status& said);

// Cuts texts and their number, and says how many were left out.
void BoundWarnings(google::protobuf::RepeatedPtrField<std::string>& warnings);

// Copies the file `from`, which a trainer may still write to or put something
// else in the place of, to a new file in the place of `to`, and removes `from`.
// At most `max_bytes`. OK where there is no such file. DATA_LOSS: it is no
// plain file, or a longer one. Else errors of ErrnoStatus.
absl::Status TakeTrainersFile(const std::string& from, const std::string& to,
                              uint64_t max_bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_ANSWERS_H_
