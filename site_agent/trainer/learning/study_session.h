// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_STUDY_SESSION_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_STUDY_SESSION_H_

#include "absl/status/statusor.h"
#include "hilum/v1/trainer.pb.h"

namespace hilum {

// A prepared study, with its cases and networks in memory. One object is one
// Prepare; each task of a study has a class of its own. Call Train and Evaluate
// in any order, see Trainer. Not thread-safe.
class StudySession {
 public:
  virtual ~StudySession() = default;
  virtual v1::PrepareResponse Describe() const = 0;
  virtual absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) = 0;
  virtual absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) = 0;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_STUDY_SESSION_H_
