// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_
#define HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_

#include <memory>

#include "site_agent/trainer/learning/study_session.h"
#include "site_agent/trainer/learning/trainer_options.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// Trains networks with LibTorch. All random numbers come from the study's seed
// and the site's key, in a stream for each site, track, round and case. The
// same request gives the same bits, whatever else the machine does. Threads
// work on tracks in parallel, each on one, so that their number does not change
// a bit. Only a network too large to be held several times is trained by all
// threads together; its last bits then depend on their number. Not thread-safe;
// several may run in threads of their own.
class TorchTrainer : public Trainer {
 public:
  explicit TorchTrainer(TorchTrainerOptions options = {});
  ~TorchTrainer() override;

  // FAILED_PRECONDITION: the device is not here. INVALID_ARGUMENT: several
  // devices for a study of segmentation.
  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  // If a track's loss is not finite, it has no examples, and a warning says
  // why. FAILED_PRECONDITION: not prepared. DATA_LOSS: a blob of another
  // length.
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

 private:
  const TorchTrainerOptions options_;
  std::unique_ptr<StudySession> session_;  // from Prepare to the next
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_
