// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_PARALLEL_TRAINER_H_
#define HILUM_SITE_AGENT_TRAINER_PARALLEL_TRAINER_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "site_agent/trainer/service/trainer_client.h"
#include "site_agent/trainer/torch_trainer.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// A trainer that computes on all devices of its request. One: in this process.
// Several: with a child process for each but the first (`BINARY serve ...
// --rank R`), all of which are told the same and share every training batch,
// so that the result is that of one process, up to the order of sums. A child
// that dies or fails ends the call and all children; the next call starts
// anew. Evaluation is done here alone. Not thread-safe.
class ParallelTrainer : public Trainer {
 public:
  // `binary`: this program, which the children run.
  ParallelTrainer(std::string binary,
                  std::function<void(const std::string&)> log);
  ~ParallelTrainer() override;

  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

  std::vector<pid_t> ChildPids() const;

 private:
  struct Child {
    pid_t pid;
    std::unique_ptr<TrainerClient> client;
  };

  absl::Status Start(const v1::PrepareRequest& request);
  void End();
  // Prepares again if a failure ended the children.
  absl::Status Resume();
  // Runs `call` on every trainer at once; returns the first one's answer if all
  // succeed.
  template <typename Response>
  absl::StatusOr<Response> OnAll(
      absl::FunctionRef<absl::StatusOr<Response>(Trainer&, bool first)> call);

  const std::string binary_;
  const std::function<void(const std::string&)> log_;
  std::optional<v1::PrepareRequest> prepared_;
  std::unique_ptr<TorchTrainer> first_;
  std::vector<Child> children_;
  std::string meeting_file_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_PARALLEL_TRAINER_H_
