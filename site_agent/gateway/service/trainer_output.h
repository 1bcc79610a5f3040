// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_OUTPUT_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_OUTPUT_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace hilum {

// Copies a trainer's output and errors into the gateway's log, line by line, as
// "trainer PID: TEXT", with at most kLongestLine bytes of printable text a line
// and at most kMostLines lines in all; the rest is left out. Reads on a thread
// of its own until the object ends; the destructor takes what has been written
// by then, and does not wait for more.
class TrainerOutputLog {
 public:
  static constexpr size_t kLongestLine = 1000;
  static constexpr size_t kMostLines = 10000;

  // `log` is called from the thread that reads. UNAVAILABLE: no thread, or no
  // pipe.
  static absl::StatusOr<std::unique_ptr<TrainerOutputLog>> Start(
      ScopedFd from, int pid, std::function<void(absl::string_view)> log);
  ~TrainerOutputLog();

 private:
  TrainerOutputLog(ScopedFd from, int pid,
                   std::function<void(absl::string_view)> log)
      : from_(std::move(from)), pid_(pid), log_(std::move(log)) {}
  void Loop();
  // Reads once. Returns whether there may be more.
  bool ReadSome();
  void Take(absl::string_view bytes);
  void EndLine();

  const ScopedFd from_;
  const int pid_;
  const std::function<void(absl::string_view)> log_;
  ScopedFd ended_, end_;  // a pipe that is closed when the object ends
  std::string line_;      // the first kLongestLine + 1 bytes of the line
  size_t lines_ = 0;
  std::thread thread_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_TRAINER_OUTPUT_H_
