// SPDX-License-Identifier: Apache-2.0
// What a site keeps of its own between rounds (FedBN).
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_STATES_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_STATES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hilum {

// The local parameters of each track after each round, as files. A round that
// is trained again starts from what was before it, so gives the same.
class LocalStates {
 public:
  // Empty `folder`: nothing is kept.
  explicit LocalStates(std::string folder) : folder_(std::move(folder)) {}

  // After the last round before `round` that there is; empty: none yet.
  // DATA_LOSS: a file of another length than `size` floats.
  absl::StatusOr<std::vector<float>> Before(uint32_t round, size_t track,
                                            int64_t size) const;

  // After `round`; forgets those before the round before.
  absl::Status Keep(uint32_t round, size_t track,
                    absl::Span<const float> values) const;

 private:
  std::string Path(uint32_t round, size_t track) const;
  // Of the track, ascending.
  std::vector<uint32_t> Rounds(size_t track) const;

  const std::string folder_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_STATES_H_
