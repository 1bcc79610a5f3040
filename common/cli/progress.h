// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CLI_PROGRESS_H_
#define HILUM_COMMON_CLI_PROGRESS_H_

#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace hilum {

// Shows the progress of a command: on a terminal as a bar, updated at most
// twice a second; elsewhere as a line at each tenth of the way, and one a
// minute. Shows counts only, since file names may name patients. Thread-safe.
class Progress {
 public:
  // Shows on standard error. `what` begins each line; `total` steps in all.
  Progress(absl::string_view what, int64_t total, Clock& clock);
  // Shows on `out`, which outlives this object.
  Progress(absl::string_view what, int64_t total, Clock& clock,
           std::ostream& out, bool terminal);
  // Calls Finish.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Sets the progress to `done` steps; ignores a smaller number than before.
  // `detail` is shown behind it.
  void Report(int64_t done, absl::string_view detail = "");
  // Ends the bar's line, so that other output can follow.
  void Finish();

 private:
  bool IsDue(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string what_;
  const int64_t total_;
  Clock& clock_;
  std::ostream& out_;
  const bool terminal_;
  const absl::Time start_;
  absl::Mutex mutex_;
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t tenths_ ABSL_GUARDED_BY(mutex_) = 0;  // of the last line shown
  absl::Time shown_ ABSL_GUARDED_BY(mutex_);
  bool drawn_ ABSL_GUARDED_BY(mutex_) = false;
};

// Returns "Images 1200/5000 (24 %), 55/s, 1 min 09 s left". Omits the rate
// below one a second.
std::string ProgressText(absl::string_view what, int64_t done, int64_t total,
                         absl::Duration elapsed);

// Returns "====----" of `width` characters, for done of total.
std::string ProgressBar(int64_t done, int64_t total, int width);

// Returns "12 s", "3 min 05 s" or "2 h 10 min".
std::string ShortDuration(absl::Duration duration);

}  // namespace hilum

#endif  // HILUM_COMMON_CLI_PROGRESS_H_
