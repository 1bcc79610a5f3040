// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_TRAINER_H_
#define HILUM_SITE_AGENT_TRAINER_TRAINER_H_

#include "absl/status/statusor.h"
#include "hilum/v1/trainer.pb.h"

namespace hilum {

// The trainer's calls, for its gateway; proto/hilum/v1/trainer.proto says what
// each call means. Real: TorchTrainer behind TrainerServer in a child process;
// the simulator calls it in its own process; tests and benches use one that
// learns nothing. Life: Prepare, then Train and Evaluate in any order. Not
// thread-safe.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) = 0;
  virtual absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) = 0;
  virtual absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) = 0;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_TRAINER_H_
