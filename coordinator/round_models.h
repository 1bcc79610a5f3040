// SPDX-License-Identifier: Apache-2.0
// The models after a training round: the trained ones, and those chosen by
// validation.
#ifndef HILUM_COORDINATOR_ROUND_MODELS_H_
#define HILUM_COORDINATOR_ROUND_MODELS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/ring.h"
#include "common/config/track_choice.h"
#include "coordinator/storage/blob_store.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

struct RoundModels {
  v1::BlobRef global;  // trained
  // The chosen model of each track; size 0: no track was tried.
  v1::BlobRef best;
  TrackChoices choices;
  v1::BlobRef optimizer;  // state of the server's optimiser; size 0: none
};

// Returns the models after round `round`, which began with `before` and gave
// `result`, whose blob is in `blobs`. Where the chosen models are of several
// rounds, writes them to a blob of their own first, through a temporary file
// called `name`. Errors are those of files, and name the path.
absl::StatusOr<RoundModels> ModelsAfter(const v1::Study& study, uint32_t round,
                                        const RoundModels& before,
                                        const AggregateResult& result,
                                        const VectorLayout& layout,
                                        const BlobStore& blobs,
                                        absl::string_view name);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_ROUND_MODELS_H_
