// SPDX-License-Identifier: Apache-2.0
#include "sim/site_tester.h"

#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "site_agent/gateway/results_folder.h"
#include "site_agent/trainer/torch_trainer.h"

namespace hilum {

SiteTester::SiteTester(const SimulatedSite& site, const StudyResult& federated)
    : predictions_(
          PredictionsPath(ResultsFolder(site.config.state_dir(),
                                        federated.study, federated.study_hash),
                          site.id)),
      trainer_(std::make_unique<TorchTrainer>()) {}

absl::StatusOr<SiteTester> SiteTester::Create(const SimulatedSite& site,
                                              const StudyResult& federated) {
  SiteTester tester(site, federated);
  v1::PrepareRequest request;
  request.set_study(SerializeStudy(federated.study));
  request.set_manifest(site.config.manifest());
  request.set_site_column(site.config.site_column());
  request.set_site(site.id.name());
  request.set_threads(site.config.trainer().threads());
  HILUM_ASSIGN_OR_RETURN(*request.mutable_patient_key(), PatientKeyOf(site));
  HILUM_RETURN_IF_ERROR(tester.trainer_->Prepare(request).status());
  return tester;
}

absl::StatusOr<v1::SubmitEvaluationRequest> SiteTester::Test(
    const FinishedStudy& trained, const std::string& model) {
  v1::EvaluateRequest request;
  request.set_frozen_path(trained.frozen_path);
  request.set_global_path(trained.global_path);
  const std::string file = absl::StrCat(predictions_, ".", model);
  if (!model.empty()) {
    request.set_model(model);
    request.set_predictions_path(file);
  }
  HILUM_ASSIGN_OR_RETURN(v1::EvaluateResponse evaluated,
                         trainer_->Evaluate(request));
  v1::SubmitEvaluationRequest evaluation;
  *evaluation.mutable_tracks() = evaluated.tracks();
  if (model.empty()) return evaluation;
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(file));
  rows_ += text.substr(text.find('\n') + 1);
  std::filesystem::remove(file);
  return evaluation;
}

absl::Status SiteTester::AppendPredictions() {
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(predictions_));
  if (absl::EndsWith(text, rows_)) return absl::OkStatus();  // continued
  return WriteFileAtomically(predictions_, text + rows_, Durability::kNone,
                             0600);
}

}  // namespace hilum
