// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_PROCESS_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "site_agent/trainer/service/trainer_client.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// A trainer in a child process, talked to over a Unix socket that it
// inherits: `BINARY serve --socket-fd N ...`. Started with the first call;
// started again, and its cases loaded again, when it has died. The child ends
// with this process, however this one ends.
// Not thread-safe, but Stop may come from any thread.
class TrainerProcess : public Trainer {
 public:
  // `arguments`: further ones of its command line.
  TrainerProcess(std::string binary, std::vector<std::string> arguments,
                 std::function<void(absl::string_view)> log);
  ~TrainerProcess() override;

  // UNAVAILABLE: the child died several times over the same call.
  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

  // Ends the child; the call in flight and later ones answer CANCELLED.
  void Stop();

 private:
  // A running child, started where there is none.
  absl::StatusOr<TrainerClient*> Child();
  absl::Status Start();
  void End();
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      const Request& request,
      absl::StatusOr<Response> (Trainer::*method)(const Request&));

  const std::string binary_;
  const std::vector<std::string> arguments_;
  const std::function<void(absl::string_view)> log_;
  std::optional<v1::PrepareRequest> prepared_;
  bool needs_prepare_ = false;

  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<TrainerClient> client_ ABSL_GUARDED_BY(mutex_);
  pid_t pid_ ABSL_GUARDED_BY(mutex_) = -1;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_PROCESS_H_
