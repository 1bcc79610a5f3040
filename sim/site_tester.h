// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_SITE_TESTER_H_
#define HILUM_SIM_SITE_TESTER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hilum/v1/federation.pb.h"
#include "sim/finished_study.h"
#include "sim/prepare_run.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// One site's own trainer, for models that were trained elsewhere. Holds the
// site's cases in memory. Call Test for any number of models, then
// AppendPredictions once. Not thread-safe; several may run in threads of their
// own.
class SiteTester {
 public:
  // `federated`: the study with arms, folds and network of all models; the site
  // has its predictions. Errors are those of Trainer::Prepare.
  static absl::StatusOr<SiteTester> Create(const SimulatedSite& site,
                                           const StudyResult& federated);

  // Scores the site's held-out cases of each fold with that fold's model. With
  // a `model` name it keeps the rows for the predictions, under that name.
  absl::StatusOr<v1::SubmitEvaluationRequest> Test(const FinishedStudy& trained,
                                                   const std::string& model);

  // Adds the kept rows to the site's existing predictions.
  absl::Status AppendPredictions();

 private:
  SiteTester(const SimulatedSite& site, const StudyResult& federated);

  std::string predictions_;  // path
  std::string rows_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace hilum

#endif  // HILUM_SIM_SITE_TESTER_H_
