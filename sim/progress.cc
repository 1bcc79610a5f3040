// SPDX-License-Identifier: Apache-2.0
#include "sim/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hilum {

std::string ProgressBar(int done, int total, int width) {
  const int filled = static_cast<int>(static_cast<int64_t>(width) *
                                      std::clamp(done, 0, total) / total);
  return absl::StrCat(std::string(filled, '='),
                      std::string(width - filled, '-'));
}

std::string ShortDuration(absl::Duration duration) {
  const int64_t seconds =
      std::max<int64_t>(0, absl::ToInt64Seconds(duration + absl::Seconds(0.5)));
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (seconds < 3600) {
    return absl::StrFormat("%d min %02d s", seconds / 60, seconds % 60);
  }
  return absl::StrFormat("%d h %02d min", seconds / 3600, seconds / 60 % 60);
}

Progress::Progress(absl::string_view what, int total, Clock& clock)
    : what_(what),
      total_(std::max(1, total)),
      terminal_(isatty(STDERR_FILENO) == 1),
      clock_(clock),
      start_(clock.Now()) {}

Progress::~Progress() {
  absl::MutexLock lock(&mutex_);
  if (drawn_) std::fputc('\n', stderr);
}

void Progress::Report(int done, absl::string_view detail) {
  absl::MutexLock lock(&mutex_);
  if (done < done_) return;
  done_ = std::min(done, total_);
  const absl::Duration spent = clock_.Now() - start_;
  std::string left;
  if (done_ > 0 && done_ < total_) {
    left = absl::StrCat(", ", ShortDuration(spent * (total_ - done_) / done_),
                        " left");
  } else if (done_ == total_) {
    left = absl::StrCat(", took ", ShortDuration(spent));
  }
  const std::string text = absl::StrCat(what_, " ", done_, "/", total_, left,
                                        detail.empty() ? "" : ", ", detail);
  if (terminal_) {
    // "\033[K" clears what a longer line left behind.
    absl::FPrintF(stderr, "\r[%s] %s\033[K", ProgressBar(done_, total_, 28),
                  text);
    std::fflush(stderr);
    drawn_ = true;
    return;
  }
  const int tenths = done_ * 10 / total_;
  if (tenths <= tenths_ && done_ > 0) return;
  tenths_ = tenths;
  absl::FPrintF(stderr, "%s\n", text);
}

}  // namespace hilum
