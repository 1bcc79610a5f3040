// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/service/trainer_server.h"

#include <fcntl.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <poll.h>

#include <cerrno>
#include <chrono>

#include "absl/synchronization/mutex.h"
#include "common/rpc/status.h"
#include "hilum/v1/trainer.grpc.pb.h"

namespace hilum {
namespace {

class TrainerService final : public v1::Trainer::Service {
 public:
  explicit TrainerService(Trainer& trainer) : trainer_(trainer) {}

  grpc::Status Prepare(grpc::ServerContext* /*context*/,
                       const v1::PrepareRequest* request,
                       v1::PrepareResponse* response) override {
    return Pass(*request, response, &Trainer::Prepare);
  }
  grpc::Status Train(grpc::ServerContext* /*context*/,
                     const v1::TrainRequest* request,
                     v1::TrainResponse* response) override {
    return Pass(*request, response, &Trainer::Train);
  }
  grpc::Status Evaluate(grpc::ServerContext* /*context*/,
                        const v1::EvaluateRequest* request,
                        v1::EvaluateResponse* response) override {
    return Pass(*request, response, &Trainer::Evaluate);
  }

 private:
  template <typename Request, typename Response>
  grpc::Status Pass(
      const Request& request, Response* response,
      absl::StatusOr<Response> (Trainer::*method)(const Request&)) {
    absl::MutexLock lock(&mutex_);
    absl::StatusOr<Response> answer = (trainer_.*method)(request);
    if (!answer.ok()) return ToGrpc(answer.status());
    *response = *std::move(answer);
    return grpc::Status::OK;
  }

  absl::Mutex mutex_;
  Trainer& trainer_;
};

}  // namespace

absl::Status ServeTrainer(Trainer& trainer, ScopedFd socket) {
  // Watches a copy: it reports a hang-up when the gateway has gone.
  ScopedFd watched(fcntl(socket.get(), F_DUPFD_CLOEXEC, 3));
  if (watched.get() < 0) {
    return ErrnoStatus(errno, "not an open socket", "--socket-fd");
  }
  TrainerService service(trainer);
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    return absl::InternalError("cannot serve on the gateway's socket");
  }
  int fd = socket.Release();  // gRPC closes it
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  grpc::AddInsecureChannelFromFd(server.get(), fd);
  pollfd gone{watched.get(), POLLRDHUP, 0};
  while (poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
  server->Shutdown(std::chrono::system_clock::now());
  return absl::OkStatus();
}

}  // namespace hilum
