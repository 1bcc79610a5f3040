// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_
#define HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "site_agent/trainer/case_pool.h"
#include "site_agent/trainer/prepared_study.h"
#include "site_agent/trainer/rank_options.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

struct TorchTrainerOptions {
  // Sites whose cases a simulator pools with those of the request; its
  // data_rules.max_bad_share then counts the pool's rows.
  std::vector<CaseSource> further;
  // Takes lines about what lasts long.
  std::function<void(const std::string&)> log = [](const std::string&) {};
  // Processes that share each batch, this one being one of them (size 1: it is
  // alone), each with the device of its rank. Their calls are the same; only
  // the first writes files.
  RankOptions ranks;
};

// The trainer that learns. Everything random comes from the study's seed,
// in a stream per site, track and round, and per case; the same request gives
// the same bits, whatever else the machine does. Threads work on tracks side by
// side, each on one, so their number does not change a bit either; only a
// network too large to be held several times is trained by all threads
// together, and its last bits then depend on their number.
// Not thread-safe; several may run in threads of their own.
class TorchTrainer : public Trainer {
 public:
  explicit TorchTrainer(TorchTrainerOptions options = {});
  ~TorchTrainer() override;

  // FAILED_PRECONDITION: the device is not here.
  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  // A track whose loss is not finite has no examples, and a warning says why.
  // FAILED_PRECONDITION: not prepared. DATA_LOSS: a blob of another length.
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

 private:
  class Session;  // of one study, from Prepare to the next

  const TorchTrainerOptions options_;
  std::unique_ptr<Session> session_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_TORCH_TRAINER_H_
