// SPDX-License-Identifier: Apache-2.0
// Parameters that stay at a site between rounds (FedBN).
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
// is repeated starts from the state before it, and so gives the same result.
class LocalStates {
 public:
  // `folder` empty: keeps nothing.
  explicit LocalStates(std::string folder) : folder_(std::move(folder)) {}

  // Returns the state after the last kept round before `round`; empty: none
  // yet. DATA_LOSS: a file that does not have `size` floats.
  absl::StatusOr<std::vector<float>> Before(uint32_t round, size_t track,
                                            int64_t size) const;

  // Keeps the state after `round`. Deletes those that neither a repetition of
  // the round nor the track's best model so far needs, which came after
  // `best_round` rounds: those older than the last one kept up to round - 1 and
  // up to `best_round`.
  absl::Status Keep(uint32_t round, size_t track, uint32_t best_round,
                    absl::Span<const float> values) const;

 private:
  std::string Path(uint32_t round, size_t track) const;
  // Returns the track's kept rounds, ascending.
  std::vector<uint32_t> Rounds(size_t track) const;

  const std::string folder_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_LOCAL_STATES_H_
