// SPDX-License-Identifier: Apache-2.0
#include "common/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hilum {
namespace {

constexpr int kBarWidth = 28;
constexpr absl::Duration kRedraw = absl::Milliseconds(500);
constexpr absl::Duration kLongestSilence = absl::Minutes(1);

}  // namespace

std::string ProgressBar(int64_t done, int64_t total, int width) {
  const auto filled =
      static_cast<size_t>(width * std::clamp<int64_t>(done, 0, total) / total);
  return absl::StrCat(std::string(filled, '='),
                      std::string(static_cast<size_t>(width) - filled, '-'));
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

std::string ProgressText(absl::string_view what, int64_t done, int64_t total,
                         absl::Duration elapsed) {
  std::string text = absl::StrFormat("%s %d/%d (%d %%)", what, done, total,
                                     total == 0 ? 100 : done * 100 / total);
  if (done <= 0 || elapsed <= absl::ZeroDuration()) return text;
  if (done >= total) {
    return absl::StrCat(text, ", took ", ShortDuration(elapsed));
  }
  const double rate =
      static_cast<double>(done) / absl::ToDoubleSeconds(elapsed);
  if (rate >= 1)
    absl::StrAppendFormat(&text, ", %.*f/s", rate < 10 ? 1 : 0, rate);
  return absl::StrCat(
      text, ", ", ShortDuration(absl::Seconds((total - done) / rate)), " left");
}

Progress::Progress(absl::string_view what, int64_t total, Clock& clock)
    : Progress(what, total, clock, std::cerr, isatty(STDERR_FILENO) == 1) {}

Progress::Progress(absl::string_view what, int64_t total, Clock& clock,
                   std::ostream& out, bool terminal)
    : what_(what),
      total_(std::max<int64_t>(1, total)),
      clock_(clock),
      out_(out),
      terminal_(terminal),
      start_(clock.Now()),
      shown_(terminal ? absl::InfinitePast() : start_) {}

Progress::~Progress() { Finish(); }

bool Progress::IsDue(absl::Time now) const {
  if (terminal_) return done_ == total_ || now - shown_ >= kRedraw;
  return done_ * 10 / total_ > tenths_ || now - shown_ >= kLongestSilence;
}

void Progress::Report(int64_t done, absl::string_view detail) {
  absl::MutexLock lock(&mutex_);
  if (done < done_) return;
  done_ = std::min(done, total_);
  const absl::Time now = clock_.Now();
  if (!IsDue(now)) return;
  shown_ = now;
  tenths_ = done_ * 10 / total_;
  const std::string text =
      absl::StrCat(ProgressText(what_, done_, total_, now - start_),
                   detail.empty() ? "" : ", ", detail);
  if (terminal_) {
    // "\033[K" clears the rest of a longer earlier line.
    out_ << "\r[" << ProgressBar(done_, total_, kBarWidth) << "] " << text
         << "\033[K" << std::flush;
    drawn_ = true;
  } else {
    out_ << text << std::endl;
  }
}

void Progress::Finish() {
  absl::MutexLock lock(&mutex_);
  if (drawn_) out_ << std::endl;
  drawn_ = false;
}

}  // namespace hilum
