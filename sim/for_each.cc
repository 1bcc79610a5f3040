// SPDX-License-Identifier: Apache-2.0
#include "sim/for_each.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace hilum {

absl::Status ForEach(size_t count, int threads,
                     const std::function<absl::Status(size_t)>& run) {
  std::vector<absl::Status> results(count);
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) {
      results[i] = run(i);
      if (!results[i].ok()) next = count;
    }
  };
  std::vector<std::thread> started;
  for (size_t i = 1; i < std::min(count, static_cast<size_t>(threads)); ++i) {
    started.emplace_back(work);
  }
  work();
  for (std::thread& thread : started) thread.join();
  absl::Status first;
  for (const absl::Status& result : results) first.Update(result);
  return first;
}

}  // namespace hilum
