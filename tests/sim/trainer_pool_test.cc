// SPDX-License-Identifier: Apache-2.0
#include "sim/trainer_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"

namespace hilum {
namespace {

// Counts the calls that are in a trainer now, over all its copies.
struct Crowd {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  absl::Notification* hold = nullptr;  // calls wait for it; null: they do not
  absl::BlockingCounter* came = nullptr;
};

class CountingTrainer : public Trainer {
 public:
  explicit CountingTrainer(Crowd& crowd) : crowd_(crowd) {}

  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest&) override {
    Count();
    return v1::PrepareResponse();
  }
  absl::StatusOr<v1::TrainResponse> Train(const v1::TrainRequest&) override {
    Count();
    return v1::TrainResponse();
  }
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest&) override {
    Count();
    return v1::EvaluateResponse();
  }

 private:
  void Count() {
    const int now = ++crowd_.inside;
    int most = crowd_.most;
    while (now > most && !crowd_.most.compare_exchange_weak(most, now)) {
    }
    if (crowd_.came != nullptr) crowd_.came->DecrementCount();
    if (crowd_.hold != nullptr) crowd_.hold->WaitForNotification();
    std::this_thread::yield();
    --crowd_.inside;
  }

  Crowd& crowd_;
};

// Debian's OpenBLAS ends the process at 128.
TEST(TrainerPoolTest, AllTrainersTogetherHaveFewThreads) {
  for (int cores : {1, 2, 8, 16, 64}) {
    for (int threads : {0, 1, 2, 7, 64}) {
      const int each = threads == 0 ? cores : threads;
      const int at_once = TrainersAtOnce(threads, cores);
      EXPECT_GE(at_once, 1);
      EXPECT_LE(at_once, cores);
      EXPECT_LE(at_once * each, 64) << cores << " " << threads;
    }
  }
  EXPECT_EQ(TrainersAtOnce(0, 256), 1);
  EXPECT_EQ(TrainersAtOnce(1, 2), 2);
}

TEST(TrainerPoolTest, AThousandSitesTrainAFewAtATime) {
  Crowd crowd;
  TrainerPool pool(3);
  std::vector<std::thread> sites;
  for (int i = 0; i < 1000; ++i) {
    sites.emplace_back([&] {
      auto trainer = pool.Wrap(std::make_unique<CountingTrainer>(crowd));
      EXPECT_TRUE(trainer->Prepare({}).ok());
      EXPECT_TRUE(trainer->Train({}).ok());
      EXPECT_TRUE(trainer->Evaluate({}).ok());
    });
  }
  for (std::thread& site : sites) site.join();
  EXPECT_LE(crowd.most, 3);
}

TEST(TrainerPoolTest, WhoWaitsIsToldThatTheSimulationEnds) {
  absl::Notification hold;
  absl::BlockingCounter came(1);
  Crowd crowd{.hold = &hold, .came = &came};
  TrainerPool pool(1);
  auto first = pool.Wrap(std::make_unique<CountingTrainer>(crowd));
  auto second = pool.Wrap(std::make_unique<CountingTrainer>(crowd));
  std::thread trains([&] { EXPECT_TRUE(first->Train({}).ok()); });
  came.Wait();
  std::thread waits(
      [&] { EXPECT_TRUE(absl::IsCancelled(second->Train({}).status())); });
  pool.Stop();
  waits.join();  // while the first still trains
  hold.Notify();
  trains.join();
}

}  // namespace
}  // namespace hilum
