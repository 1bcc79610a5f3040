// SPDX-License-Identifier: Apache-2.0
// The log and the signals of programs that run until they are stopped.
#ifndef HILUM_COMMON_CLI_SERVICE_H_
#define HILUM_COMMON_CLI_SERVICE_H_

#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hilum {

// Returns the log line for `line` at `now`, without a line end:
// "2026-12-01T10:57:08Z info    listening". The level is `warning` or `error`
// where `line` begins with "warning: " or "error: ", which is removed, else
// `info`. The rest is printable and at most 2,000 bytes (PrintableLine), so
// that a peer's text cannot forge a line or move the terminal's cursor.
std::string LogLine(absl::Time now, absl::string_view line);

// Writes LogLine to standard error. Thread-safe.
void Log(absl::string_view line);

// Blocks SIGINT and SIGTERM and waits for them. Ignores SIGPIPE. Life:
// construct before any other thread starts, so that all threads inherit the
// block; then call Wait once, or Start once. Threads that libraries started
// before main hand the signals on. One object a process.
class StopSignals {
 public:
  StopSignals();
  // Ends the thread of Start and unblocks the signals.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Returns once a signal came.
  void Wait();
  // Calls `on_stop` from a thread of this object once a signal came.
  void Start(std::function<void()> on_stop);

 private:
  sigset_t signals_;
  sigset_t before_;
  struct sigaction before_int_, before_term_;
  std::thread thread_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_CLI_SERVICE_H_
