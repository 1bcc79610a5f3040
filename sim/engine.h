// SPDX-License-Identifier: Apache-2.0
// Two ways to run the same consortium. Where OUT holds an interrupted run of
// the same study, both go on with it. Both end with the same bits in OUT:
// report.json, report.html, model/ and
// sites/SITE/results/STUDY-HASH/predictions-site-SITE.csv.
#ifndef HILUM_SIM_ENGINE_H_
#define HILUM_SIM_ENGINE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/prepare_run.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// The real processes over mutual TLS on loopback: hilum-certs,
// hilum-coordinator and hilum-site from `binaries`, each with its log in
// OUT/logs. All have ended when this returns. Errors carry the last lines of
// the log of whoever failed.
absl::Status RunOverGrpc(const RunPlan& plan, const std::string& binaries);

// One site's own trainer. Called once a site, in start order.
using MakeTrainer =
    std::function<absl::StatusOr<std::unique_ptr<Trainer>>(const SiteId&)>;

// Called from the engine's thread with the number of rounds that are over.
using OnRounds = std::function<void(int rounds)>;

// The same coordinator and the same gateways in this process: each site has
// a thread, and function calls are in the place of the network. Logs as
// above. At most TrainersAtOnce of the sites train at one time. Errors name the
// site. RESOURCE_EXHAUSTED: more sites than open files are allowed for. Several
// may run in threads of their own.
absl::Status RunInProcess(const RunPlan& plan, const MakeTrainer& make_trainer,
                          const OnRounds& on_rounds);

}  // namespace hilum

#endif  // HILUM_SIM_ENGINE_H_
