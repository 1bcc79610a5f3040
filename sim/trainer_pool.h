// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_TRAINER_POOL_H_
#define HILUM_SIM_TRAINER_POOL_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// Returns how many simulated sites train at the same time: as many as this
// machine has cores, fewer where each starts many threads; at least 1.
// `threads`: of one trainer, 0: one for each core. Debian's OpenBLAS has
// buffers for 128 threads and ends the process where more multiply at once, so
// all trainers together have at most 64 threads, unless one alone has more.
int TrainersAtOnce(int threads, int cores);

// Lets a limited number of a simulation's trainers work at the same time; the
// others wait for their turn. The limit does not change a trainer's results.
// Thread-safe.
class TrainerPool {
 public:
  explicit TrainerPool(int at_once) : free_(at_once) {}

  // Returns a trainer whose calls wait for their turn and then go to `trainer`.
  // The pool outlives it.
  std::unique_ptr<Trainer> Wrap(std::unique_ptr<Trainer> trainer);

  // Ends waiting and later calls with CANCELLED.
  void Stop();

 private:
  class Member;

  // CANCELLED: the pool is stopped; no place is taken.
  absl::Status Take();
  void GiveBack();

  absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hilum

#endif  // HILUM_SIM_TRAINER_POOL_H_
