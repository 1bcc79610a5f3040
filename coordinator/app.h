// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_APP_H_
#define HILUM_COORDINATOR_APP_H_

namespace hilum {

// Runs hilum-coordinator's command line. Returns 0: done, 1: failed, 2: wrong
// usage.
int RunCoordinator(int argc, char** argv);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_APP_H_
