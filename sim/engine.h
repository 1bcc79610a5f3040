// SPDX-License-Identifier: Apache-2.0
// Two ways to run the same consortium. Where OUT holds an interrupted run of
// the same study, both continue it. Both end with the same bits in OUT:
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

// Runs the real processes over mutual TLS on loopback: hilum-certs,
// hilum-coordinator and hilum-site from `binaries`, each with its log in
// OUT/logs. All have ended when this returns. Errors have the last log lines of
// the failed program.
absl::Status RunOverGrpc(const RunPlan& plan, const std::string& binaries);

// Makes one site's own trainer. Called once for each site, in start order.
using MakeTrainer =
    std::function<absl::StatusOr<std::unique_ptr<Trainer>>(const SiteId&)>;

// Called from the engine's thread with the number of finished rounds.
using OnRounds = std::function<void(int rounds)>;

// Runs the same coordinator and the same gateways in this process: each site
// has a thread, and function calls replace the network. Logs are in OUT/logs
// too. At most TrainersAtOnce of the sites train at the same time. Errors name
// the site. RESOURCE_EXHAUSTED: the limit of open files is too low for so many
// sites. Several runs may go on in threads of their own.
absl::Status RunInProcess(const RunPlan& plan, const MakeTrainer& make_trainer,
                          const OnRounds& on_rounds);

}  // namespace hilum

#endif  // HILUM_SIM_ENGINE_H_
