// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_TRAINER_POOL_H_
#define HILUM_SIM_TRAINER_POOL_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// Returns how many simulated sites train at one time: as many as this machine
// has cores, fewer where each starts many threads. `threads`: of one trainer,
// 0: one a core. At least 1. Debian's OpenBLAS has buffers for 128 threads and
// ends the process where more multiply at once, so all trainers together have
// 64 threads or fewer, where one alone has not more.
int TrainersAtOnce(int threads, int cores);

// Lets so many trainers of a simulation work at one time; the others wait for
// their turn. What a trainer computes does not depend on it. Thread-safe.
class TrainerPool {
 public:
  explicit TrainerPool(int at_once) : free_(at_once) {}

  // Returns a trainer whose calls go to `trainer` in their turn. The pool
  // outlives it.
  std::unique_ptr<Trainer> Wrap(std::unique_ptr<Trainer> trainer);

  // Calls that wait, and later ones, end with CANCELLED.
  void Stop();

 private:
  class Member;

  // CANCELLED: stopped; nothing is taken then.
  absl::Status Take();
  void GiveBack();

  absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hilum

#endif  // HILUM_SIM_TRAINER_POOL_H_
