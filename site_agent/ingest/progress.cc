// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/progress.h"

#include <ostream>

#include "absl/strings/str_format.h"

namespace hilum {

std::string ProgressText(int64_t done, int64_t total, absl::Duration elapsed) {
  std::string text = absl::StrFormat("%d of %d images (%d %%)", done, total,
                                     total == 0 ? 100 : done * 100 / total);
  const double seconds = absl::ToDoubleSeconds(elapsed);
  if (done == 0 || seconds <= 0) return text;
  const double rate = static_cast<double>(done) / seconds;
  const absl::Duration left =
      absl::Ceil(absl::Seconds(static_cast<double>(total - done) / rate),
                 absl::Seconds(1));
  return absl::StrFormat("%s, %.*f/s, %s left", text, rate < 10 ? 1 : 0, rate,
                         absl::FormatDuration(left));
}

Progress::Progress(std::ostream& out, bool terminal, int64_t total,
                   Clock& clock)
    : out_(out),
      terminal_(terminal),
      total_(total),
      clock_(clock),
      begun_(clock.Now()),
      shown_(begun_) {}

void Progress::Done(int64_t done) {
  const absl::Time now = clock_.Now();
  if (now - shown_ <
      (terminal_ ? absl::Milliseconds(500) : absl::Seconds(10))) {
    return;
  }
  shown_ = now;
  any_ = true;
  const std::string text = ProgressText(done, total_, now - begun_);
  // To the line's end: what was longer before goes.
  if (terminal_) {
    out_ << "\r" << text << "\x1b[K" << std::flush;
  } else {
    out_ << text << std::endl;
  }
}

void Progress::Finish() {
  if (terminal_ && any_) out_ << "\r\x1b[K" << std::flush;
}

}  // namespace hilum
