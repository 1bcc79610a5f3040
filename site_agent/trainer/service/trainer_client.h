// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CLIENT_H_
#define HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CLIENT_H_

#include <memory>

#include "common/base/file.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// A Trainer at the other end of a connected Unix socket. UNAVAILABLE: the
// process there has died, and this object is useless. Not thread-safe, except
// that any thread may call Cancel.
class TrainerClient : public Trainer {
 public:
  explicit TrainerClient(ScopedFd socket);
  ~TrainerClient() override;

  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

  // Ends the call in flight, and later ones, with CANCELLED.
  void Cancel();

 private:
  struct Connection;
  template <typename Request, typename Response, typename Method>
  absl::StatusOr<Response> Call(const Request& request, Method method);

  std::unique_ptr<Connection> connection_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SERVICE_TRAINER_CLIENT_H_
