// SPDX-License-Identifier: Apache-2.0
// Two ways to run the same consortium. Both end with the same bits in OUT:
// report.json, report.html, model/ and sites/SITE/predictions-site-SITE.csv.
#ifndef HILUM_SIM_ENGINE_H_
#define HILUM_SIM_ENGINE_H_

#include <string>

#include "absl/status/status.h"
#include "sim/prepare_run.h"

namespace hilum {

// The real processes over mutual TLS on loopback: hilum-certs,
// hilum-coordinator and hilum-site from `binaries`, each with its log in
// OUT/logs. All have ended when this returns. Errors carry the last lines of
// the log of whoever failed.
absl::Status RunOverGrpc(const RunPlan& plan, const std::string& binaries);

}  // namespace hilum

#endif  // HILUM_SIM_ENGINE_H_
