// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_PROGRESS_H_
#define HILUM_SIM_PROGRESS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace hilum {

// One command's progress on standard error: a bar with the time left on a
// terminal; else a line at each tenth of the way. Thread-safe.
class Progress {
 public:
  // `what` begins each line; `total` > 0 steps in all.
  Progress(absl::string_view what, int total, Clock& clock);
  // Ends the bar's line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` steps; a smaller number than before is ignored. `detail` follows.
  void Report(int done, absl::string_view detail = "");

 private:
  const std::string what_;
  const int total_;
  const bool terminal_;
  Clock& clock_;
  const absl::Time start_;
  absl::Mutex mutex_;
  int done_ ABSL_GUARDED_BY(mutex_) = 0;
  int tenths_ ABSL_GUARDED_BY(mutex_) = 0;
  bool drawn_ ABSL_GUARDED_BY(mutex_) = false;
};

// "====----" of `width` characters, for done of total.
std::string ProgressBar(int done, int total, int width);

// "12 s", "3 min 05 s", "2 h 10 min".
std::string ShortDuration(absl::Duration duration);

}  // namespace hilum

#endif  // HILUM_SIM_PROGRESS_H_
