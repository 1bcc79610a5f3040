// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SUPPORT_FAKE_TRAINER_H_
#define HILUM_TESTS_SUPPORT_FAKE_TRAINER_H_

#include <string>

#include "hilum/v1/study.pb.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// A trainer for benches, and for tests of the code around training. Has ten
// cases of each class in each fold and learns nothing: its delta has the
// study's size and is always the same. All its images look alike
// (fingerprint.h), and three masks of the first class are rejected. If the
// study validates, four cases of each track show the model after the second
// round as the best. Writes the study's name into rejected.csv and into the
// predictions, if it is asked for them.
// Not thread-safe.
class FakeTrainer : public Trainer {
 public:
  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

 private:
  v1::Study study_;
  std::string delta_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_FAKE_TRAINER_H_
