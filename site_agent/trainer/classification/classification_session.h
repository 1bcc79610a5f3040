// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_CLASSIFICATION_SESSION_H_
#define HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_CLASSIFICATION_SESSION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "site_agent/trainer/learning/site_study.h"
#include "site_agent/trainer/learning/study_session.h"

namespace hilum {

// Returns a session that learns to tell the study's classes apart. `site`: the
// result of ReadSiteStudy for the request. Errors as ChooseDevice and
// LoadCases.
absl::StatusOr<std::unique_ptr<StudySession>> CreateClassificationSession(
    const v1::PrepareRequest& request, const TorchTrainerOptions& options,
    SiteStudy site);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_CLASSIFICATION_SESSION_H_
