// SPDX-License-Identifier: Apache-2.0
// What an operator is told of sites that cannot work on a study for now.
#ifndef HILUM_COORDINATOR_UNABLE_SITES_H_
#define HILUM_COORDINATOR_UNABLE_SITES_H_

#include <string>

#include "hilum/v1/admin.pb.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Returns the coordinator's words for a site's reason; a site sends no text. A
// number that is none of this release's reasons is taken for no reason.
std::string WordsOf(v1::UnableReason reason);

// Returns "SITE: reason; SITE: reason" of the status' unable sites.
std::string UnableText(const v1::StudyStatus& status);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_UNABLE_SITES_H_
