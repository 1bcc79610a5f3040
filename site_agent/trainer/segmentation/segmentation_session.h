// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENTATION_SESSION_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENTATION_SESSION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "site_agent/trainer/learning/site_study.h"
#include "site_agent/trainer/learning/study_session.h"

namespace hilum {

// Returns a session that learns to find the lungs, from the cases that have a
// mask of them. Each track has one of Torch's threads, so that the number of
// threads changes no bit. `site`: the result of ReadSiteStudy for the request.
// Errors as ChooseDevice and LoadCases. INVALID_ARGUMENT: several devices.
absl::StatusOr<std::unique_ptr<StudySession>> CreateSegmentationSession(
    const v1::PrepareRequest& request, const TorchTrainerOptions& options,
    SiteStudy site);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENTATION_SESSION_H_
