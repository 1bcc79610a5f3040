// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/service/trainer_client.h"

#include <fcntl.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>

#include "absl/synchronization/mutex.h"
#include "common/rpc/status.h"
#include "hilum/v1/trainer.grpc.pb.h"

namespace hilum {

struct TrainerClient::Connection {
  std::unique_ptr<v1::Trainer::Stub> stub;
  absl::Mutex mutex;
  grpc::ClientContext* in_flight ABSL_GUARDED_BY(mutex) = nullptr;
  bool cancelled ABSL_GUARDED_BY(mutex) = false;
};

TrainerClient::TrainerClient(ScopedFd socket)
    : connection_(std::make_unique<Connection>()) {
  int fd = socket.Release();  // gRPC closes it
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  connection_->stub =
      v1::Trainer::NewStub(grpc::CreateInsecureChannelFromFd("trainer", fd));
}

TrainerClient::~TrainerClient() = default;

void TrainerClient::Cancel() {
  absl::MutexLock lock(&connection_->mutex);
  connection_->cancelled = true;
  if (connection_->in_flight != nullptr) connection_->in_flight->TryCancel();
}

template <typename Request, typename Response, typename Method>
absl::StatusOr<Response> TrainerClient::Call(const Request& request,
                                             Method method) {
  grpc::ClientContext context;
  {
    absl::MutexLock lock(&connection_->mutex);
    if (connection_->cancelled) return absl::CancelledError("stopped");
    connection_->in_flight = &context;
  }
  Response response;
  grpc::Status status =
      (connection_->stub.get()->*method)(&context, request, &response);
  absl::MutexLock lock(&connection_->mutex);
  connection_->in_flight = nullptr;
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<v1::PrepareResponse> TrainerClient::Prepare(
    const v1::PrepareRequest& request) {
  return Call<v1::PrepareRequest, v1::PrepareResponse>(
      request, &v1::Trainer::Stub::Prepare);
}

absl::StatusOr<v1::TrainResponse> TrainerClient::Train(
    const v1::TrainRequest& request) {
  return Call<v1::TrainRequest, v1::TrainResponse>(request,
                                                   &v1::Trainer::Stub::Train);
}

absl::StatusOr<v1::EvaluateResponse> TrainerClient::Evaluate(
    const v1::EvaluateRequest& request) {
  return Call<v1::EvaluateRequest, v1::EvaluateResponse>(
      request, &v1::Trainer::Stub::Evaluate);
}

}  // namespace hilum
