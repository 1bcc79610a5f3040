// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_PROGRESS_H_
#define HILUM_SITE_AGENT_INGEST_PROGRESS_H_

#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"

namespace hilum {

// "1200 of 5000 images (24 %), 55/s, 1m9s left". Counts alone: paths may name
// patients. Not thread-safe.
std::string ProgressText(int64_t done, int64_t total, absl::Duration elapsed);

// Where a long work is: on a terminal one line that is written over twice a
// second, elsewhere a line every ten seconds.
class Progress {
 public:
  Progress(std::ostream& out, bool terminal, int64_t total, Clock& clock);

  void Done(int64_t done);
  // Ends the line on a terminal.
  void Finish();

 private:
  std::ostream& out_;
  const bool terminal_;
  const int64_t total_;
  Clock& clock_;
  const absl::Time begun_;
  absl::Time shown_;
  bool any_ = false;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_PROGRESS_H_
