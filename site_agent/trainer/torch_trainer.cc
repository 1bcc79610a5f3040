// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/torch_trainer.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "site_agent/trainer/classification/classification_session.h"
#include "site_agent/trainer/learning/site_study.h"
#include "site_agent/trainer/segmentation/segmentation_session.h"

namespace hilum {

TorchTrainer::TorchTrainer(TorchTrainerOptions options)
    : options_(std::move(options)) {}
TorchTrainer::~TorchTrainer() = default;

absl::StatusOr<v1::PrepareResponse> TorchTrainer::Prepare(
    const v1::PrepareRequest& request) {
  session_.reset();
  HILUM_ASSIGN_OR_RETURN(SiteStudy site, ReadSiteStudy(request, options_));
  auto create = IsSegmentation(site.study.study) ? CreateSegmentationSession
                                                 : CreateClassificationSession;
  HILUM_ASSIGN_OR_RETURN(session_, create(request, options_, std::move(site)));
  return session_->Describe();
}

absl::StatusOr<v1::TrainResponse> TorchTrainer::Train(
    const v1::TrainRequest& request) {
  if (session_ != nullptr) return session_->Train(request);
  return absl::FailedPreconditionError("the trainer is not prepared");
}

absl::StatusOr<v1::EvaluateResponse> TorchTrainer::Evaluate(
    const v1::EvaluateRequest& request) {
  if (session_ != nullptr) return session_->Evaluate(request);
  return absl::FailedPreconditionError("the trainer is not prepared");
}

}  // namespace hilum
