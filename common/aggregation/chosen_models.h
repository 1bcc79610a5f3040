// SPDX-License-Identifier: Apache-2.0
// Writes the chosen models of all tracks, which may be of different rounds.
#ifndef HILUM_COMMON_AGGREGATION_CHOSEN_MODELS_H_
#define HILUM_COMMON_AGGREGATION_CHOSEN_MODELS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/ring.h"
#include "common/base/file.h"
#include "common/config/track_choice.h"
#include "common/crypto/hashed_file.h"

namespace hilum {

// The choices after a round, and the origin of the chosen models [num_tracks].
struct RoundChoice {
  TrackChoices choices;
  std::vector<ChosenFrom> origins;
};

// Returns the choices after round `round`, whose updates gave `result`.
RoundChoice ChooseAfter(const v1::Study& study, uint32_t round,
                        const TrackChoices& before,
                        const AggregateResult& result);

// Returns the one blob that holds all chosen models; nothing: they come from
// several, and WriteChosen makes the blob. Where all tracks are kAny, it is
// kChosen.
std::optional<ChosenFrom> OnlyOrigin(absl::Span<const ChosenFrom> origins);

struct ChosenOptions {
  VectorLayout layout;
  std::vector<ChosenFrom> origins;  // [num_tracks]
  // Files of global blobs; one that no track comes from is not opened.
  std::string chosen_path, before_path, after_path;
  std::string output_path;  // written through "output_path.tmp.PID"
  Durability durability = Durability::kSync;
};

// Copies each track from its origin. Memory: one block. A failure leaves no
// output. INVALID_ARGUMENT: a file has another length, or there is not one
// origin for each track. NOT_FOUND, RESOURCE_EXHAUSTED (disk full) and other
// errors of files name the path.
absl::StatusOr<WrittenFile> WriteChosen(const ChosenOptions& options);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_CHOSEN_MODELS_H_
