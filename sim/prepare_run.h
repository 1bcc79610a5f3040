// SPDX-License-Identifier: Apache-2.0
// Prepares `hilum-sim run`: data, the cohort with its manifests, the study.
#ifndef HILUM_SIM_PREPARE_RUN_H_
#define HILUM_SIM_PREPARE_RUN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "common/model/fit.h"
#include "hilum/v1/config.pb.h"
#include "hilum/v1/study.pb.h"
#include "sim/partition.h"

namespace hilum {

// Starting weights, with the options of `hilum-coordinator study submit`.
struct StartingWeights {
  std::string path;  // empty: drawn from the study's seed
  WeightsOptions options;
};

struct RunOptions {
  std::string study_path;
  std::string data;  // case manifest; or
  int phantoms = 0;  // number of phantoms
  int sites = 0;     // 0: as many as the manifest names
  std::string partition = "by_site";
  // on, off; empty: as the study says, or on from three sites
  std::string secure_aggregation;
  std::string arm;  // segmented, whole, both; empty: as the study says
  StartingWeights start;
  std::optional<uint64_t> seed;
  std::vector<std::string> set;  // FIELD=VALUE of the study, in this order
  std::string transport = "inprocess";  // or grpc
  std::string out;
  bool force = false;
  bool baselines = false;                // baselines will follow
  uint32_t threads = 0;                  // per site; 0: all cores
  std::vector<std::string> start_order;  // empty: by name
};

// A simulated site. All its files are in OUT/sites/SITE, as on a machine of its
// own.
struct SimulatedSite {
  SiteId id;
  std::string directory;
  v1::SiteConfig config;  // absolute paths; without coordinator and tls
};

struct RunPlan {
  v1::Study study;  // defaults filled in, valid, not submitted
  StartingWeights start;
  std::string out;                   // absolute
  std::vector<SimulatedSite> sites;  // in the order in which they start
  bool resumed = false;              // OUT holds an interrupted run
  // How the starting weights and the study differ (CompareWithStudy).
  std::vector<std::string> warnings = {};
};

// Returns the key that deals the site's folds. Errors are those of its file.
absl::StatusOr<std::string> PatientKeyOf(const SimulatedSite& site);

// Makes OUT and writes OUT/study.yaml and every site's manifest and patient key
// (from the seed, so that folds repeat). Where OUT holds an interrupted run of
// the same study over the same cases, keeps its files, to continue it.
// INVALID_ARGUMENT: an option or the study, or baselines of a study of
// segmentation, before anything is made; weights of other classes or of another
// task (CompareWithStudy). ALREADY_EXISTS: OUT holds another run,
// a finished one or other files, and `force` is off. With `force` only the
// files of a run are removed from OUT.
absl::StatusOr<RunPlan> PrepareRun(const RunOptions& options);

// Returns FAILED_PRECONDITION: the run in OUT ended without a result, for
// `reason`, and cannot be continued.
absl::Status StoppedBefore(const RunPlan& plan, absl::string_view reason);

// Records in OUT that the run is finished and cannot be continued.
absl::Status MarkRunDone(const RunPlan& plan);

}  // namespace hilum

#endif  // HILUM_SIM_PREPARE_RUN_H_
