// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_TRACK_SHARES_H_
#define HILUM_SITE_AGENT_GATEWAY_TRACK_SHARES_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/track_choice.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"
#include "hilum/v1/trainer.pb.h"
#include "site_agent/gateway/update_file.h"

namespace hilum {

// Returns a site's weight and validation in each track of a round, from the
// trainer's answer. Together they are at most the number of the track's cases
// in `own`, the census that this site has given: otherwise the weights of all
// sites could exceed 1. A track for which too few sites have cases, or
// that has stopped (`choices`), gets nothing; a track that is not validated
// (ValidatedTracks) gets no validation. `own`: nothing if this site has given
// no census. INTERNAL: the answer lacks tracks. ABORTED: the study is secure
// and a track could not be trained or validated; this site would count as one
// of those that hide the others in the sum.
absl::StatusOr<std::vector<TrackShare>> TrackShares(
    const v1::Study& study, const v1::CensusTotals& cohort,
    const TrackChoices& choices,
    const std::optional<v1::SubmitCensusRequest>& own,
    const v1::TrainResponse& trained);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_TRACK_SHARES_H_
