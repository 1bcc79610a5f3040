// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_PROVENANCE_H_
#define HILUM_SITE_AGENT_GATEWAY_PROVENANCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Where a study's starting weights come from, as far as this site can tell
// without the coordinator.
struct Provenance {
  bool is_known = false;
  std::string sentence;  // without a full stop
};

// Compares the digest that the study gives with weights made here: those of
// this release, with a head from the study's seed where theirs does not fit,
// and those drawn from the seed. `programs`: the folder of this program, from
// which the release's files are found; a file that is not the very one that
// this program was built with counts for nothing. As long and as much memory as
// it takes to draw the architecture's weights. INVALID_ARGUMENT: an
// architecture that this release does not know.
absl::StatusOr<Provenance> FindProvenance(const v1::Study& study,
                                          const std::string& programs);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_PROVENANCE_H_
