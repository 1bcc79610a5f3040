// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_NETWORK_POOL_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_NETWORK_POOL_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ordered_pipeline.h"

namespace hilum {

// Networks of one kind for parallel work. Call Add for each, then ForEach.
template <typename Network>
class NetworkPool {
 public:
  void Add(std::unique_ptr<Network> network) {
    absl::MutexLock lock(&mutex_);
    free_.push_back(network.get());
    networks_.push_back(std::move(network));
  }
  Network& first() { return *networks_[0]; }
  int size() const { return static_cast<int>(networks_.size()); }

  // Calls `make` for items 0 .. count - 1, at most `side_by_side` <= size() at
  // a time, each with a network of its own and `torch_threads` of Torch's
  // threads. Calls `consume` in the items' order; see RunOrdered.
  template <typename Item>
  absl::Status ForEach(
      int64_t count, int side_by_side, int torch_threads,
      absl::FunctionRef<absl::Status(Network&, int64_t, Item&)> make,
      absl::FunctionRef<absl::Status(int64_t, Item&)> consume) {
    return RunOrdered<Item>(
        count, side_by_side,
        [&](int64_t index, Item& item) {
          Network::SetThreads(torch_threads);
          Network& network = Take();
          absl::Status status = make(network, index, item);
          Return(network);
          return status;
        },
        consume);
  }

 private:
  Network& Take() {
    absl::MutexLock lock(&mutex_);
    Network* network = free_.back();
    free_.pop_back();
    return *network;
  }
  void Return(Network& network) {
    absl::MutexLock lock(&mutex_);
    free_.push_back(&network);
  }

  std::vector<std::unique_ptr<Network>> networks_;
  absl::Mutex mutex_;
  std::vector<Network*> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_NETWORK_POOL_H_
