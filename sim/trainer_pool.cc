// SPDX-License-Identifier: Apache-2.0
#include "sim/trainer_pool.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr int kMostThreads = 64;

}  // namespace

int TrainersAtOnce(int threads, int cores) {
  const int each = std::max(1, threads > 0 ? threads : cores);
  return std::max(1, std::min(kMostThreads / each, cores));
}

class TrainerPool::Member : public Trainer {
 public:
  Member(TrainerPool& pool, std::unique_ptr<Trainer> trainer)
      : pool_(pool), trainer_(std::move(trainer)) {}

  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override {
    return InTurn(request, &Trainer::Prepare);
  }
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override {
    return InTurn(request, &Trainer::Train);
  }
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override {
    return InTurn(request, &Trainer::Evaluate);
  }

 private:
  template <typename Request, typename Response>
  absl::StatusOr<Response> InTurn(
      const Request& request,
      absl::StatusOr<Response> (Trainer::*method)(const Request&)) {
    HILUM_RETURN_IF_ERROR(pool_.Take());
    absl::StatusOr<Response> answer = (trainer_.get()->*method)(request);
    pool_.GiveBack();
    return answer;
  }

  TrainerPool& pool_;
  const std::unique_ptr<Trainer> trainer_;
};

std::unique_ptr<Trainer> TrainerPool::Wrap(std::unique_ptr<Trainer> trainer) {
  return std::make_unique<Member>(*this, std::move(trainer));
}

void TrainerPool::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

absl::Status TrainerPool::Take() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](TrainerPool* pool) ABSL_EXCLUSIVE_LOCKS_REQUIRED(pool->mutex_) {
        return pool->stopped_ || pool->free_ > 0;
      },
      this));
  if (stopped_) return absl::CancelledError("the simulation ends");
  --free_;
  return absl::OkStatus();
}

void TrainerPool::GiveBack() {
  absl::MutexLock lock(&mutex_);
  ++free_;
}

}  // namespace hilum
