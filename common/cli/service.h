// SPDX-License-Identifier: Apache-2.0
// What programs that run until they are told to stop have in common: the log
// and the signals.
#ifndef HILUM_COMMON_CLI_SERVICE_H_
#define HILUM_COMMON_CLI_SERVICE_H_

#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hilum {

// Returns the log line of `line` at `now`, without a line's end:
// "2026-12-01T10:57:08Z info    listening". The level is `warning` or `error`
// where `line` begins with "warning: " or "error: ", which is left out, else
// `info`. The rest is printable and at most 2,000 bytes (PrintableLine): no word
// of a peer forges a line or moves the terminal.
std::string LogLine(absl::Time now, absl::string_view line);

// Writes LogLine to standard error. Thread-safe.
void Log(absl::string_view line);

// Takes SIGINT and SIGTERM. Life: construct before any thread is started, which
// then blocks the signals in all of them; Wait once, or Start once. Threads that
// libraries have started before main hand the signals on. Ignores SIGPIPE. One
// object a process.
class StopSignals {
 public:
  StopSignals();
  // Ends the thread of Start and gives the signals back.
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
