// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_APP_H_
#define HILUM_SITE_AGENT_GATEWAY_APP_H_

namespace hilum {

// Runs hilum-site with its command line. Returns 0: done, 1: failed, 2: wrong
// usage.
int RunSite(int argc, char** argv);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_APP_H_
