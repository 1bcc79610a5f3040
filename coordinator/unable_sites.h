// SPDX-License-Identifier: Apache-2.0
// Words for the operator about sites that cannot work on a study now.
#ifndef HILUM_COORDINATOR_UNABLE_SITES_H_
#define HILUM_COORDINATOR_UNABLE_SITES_H_

#include <string>

#include "hilum/v1/admin.pb.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Returns the coordinator's words for a site's reason; a site sends no text. An
// unknown number counts as no reason.
std::string WordsOf(v1::UnableReason reason);

// Returns "SITE: reason; SITE: reason" for the status' unable sites.
std::string UnableText(const v1::StudyStatus& status);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_UNABLE_SITES_H_
