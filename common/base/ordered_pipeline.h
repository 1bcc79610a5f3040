// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_ORDERED_PIPELINE_H_
#define HILUM_COMMON_BASE_ORDERED_PIPELINE_H_

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace hilum {

// Processes the items 0 .. count - 1: `make` runs in `threads` threads of its
// own, `consume` in the calling thread and in the order of the indices. At most
// threads + 1 items exist; each is reused, with its old content, for a later
// index. Where the system has no more threads, the available threads do all the
// work, in the extreme the calling thread alone.
// The first error, in order of index, ends the call: all earlier items have
// been consumed; later items may have been made.
template <typename Item>
absl::Status RunOrdered(
    int64_t count, int threads,
    absl::FunctionRef<absl::Status(int64_t, Item&)> make,
    absl::FunctionRef<absl::Status(int64_t, Item&)> consume) {
  struct Slot {
    Item item{};
    int64_t made = -1;
    absl::Status status;
  };
  std::vector<Slot> slots(static_cast<size_t>(threads) + 1);
  const int64_t ahead = static_cast<int64_t>(slots.size());
  auto slot_of = [&](int64_t i) -> Slot& {
    return slots[static_cast<size_t>(i % ahead)];
  };
  absl::Mutex mutex;
  absl::CondVar changed;
  int64_t next = 0;
  int64_t consumed = 0;
  bool stop = false;

  auto run = [&] {
    absl::MutexLock lock(&mutex);
    for (;;) {
      while (!stop && next < count && next - consumed >= ahead) {
        changed.Wait(&mutex);
      }
      if (stop || next >= count) return;
      const int64_t i = next++;
      Slot& slot = slot_of(i);
      mutex.Unlock();
      slot.status = make(i, slot.item);
      mutex.Lock();
      slot.made = i;
      changed.SignalAll();
    }
  };
  std::vector<std::thread> makers;
  try {
    for (int64_t t = 0; t < std::min<int64_t>(threads, count); ++t) {
      makers.emplace_back(run);
    }
  } catch (const std::system_error&) {
    // Another process of the user may have taken the last thread.
  }
  absl::Status status;
  if (makers.empty()) {
    for (int64_t i = 0; i < count && status.ok(); ++i) {
      Item& item = slot_of(i).item;
      status = make(i, item);
      if (status.ok()) status = consume(i, item);
    }
    return status;
  }
  for (int64_t i = 0; i < count && status.ok(); ++i) {
    Slot& slot = slot_of(i);
    {
      absl::MutexLock lock(&mutex);
      while (slot.made != i) changed.Wait(&mutex);
    }
    status = slot.status.ok() ? consume(i, slot.item) : slot.status;
    absl::MutexLock lock(&mutex);
    consumed = i + 1;
    changed.SignalAll();
  }
  {
    absl::MutexLock lock(&mutex);
    stop = true;
    changed.SignalAll();
  }
  for (std::thread& maker : makers) maker.join();
  return status;
}

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_ORDERED_PIPELINE_H_
