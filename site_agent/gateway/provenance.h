// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_PROVENANCE_H_
#define HILUM_SITE_AGENT_GATEWAY_PROVENANCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The origin of a study's starting weights, as far as this site can tell
// without the coordinator.
struct Provenance {
  bool is_known = false;
  std::string sentence;  // without a full stop
};

// Compares the digest in the study with the digests of weights that are made
// here: this release's weights, with a head drawn from the study's seed where
// the release's head does not fit, and weights drawn from the seed alone.
// `programs`: the folder of this program, from which the release's files are
// found. Weights of the release are known only if the study lists no images,
// or those that the release's file lists; weights drawn from the seed, only if
// it lists none. Ignores a file that differs from the one this program was
// built with. Takes the time and memory of drawing all weights of the
// architecture. INVALID_ARGUMENT: an architecture that this release does not
// know.
absl::StatusOr<Provenance> FindProvenance(const v1::Study& study,
                                          const std::string& programs);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_PROVENANCE_H_
